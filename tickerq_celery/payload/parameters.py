"""Plain parameters of a function as its request: one JSON object, by their names."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any


class Missing(Enum):
    """Stands for the default of a parameter that has none: None is one."""

    DEFAULT = "no default"


# Compared by identity, as all that follows: 1 and True are equal defaults, and some types have no hash.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameter:
    """One parameter; ``type`` is its annotation, Any where it has none."""

    name: str
    type: object = Any
    default: object = Missing.DEFAULT

    @property
    def is_required(self) -> bool:
        """Whether each call must give it."""
        return self.default is Missing.DEFAULT

    def __str__(self) -> str:
        return f"{self.name}=…"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parameters:
    """The parameters of a function beside its context; ``extra`` is the type of what ``**kwargs`` takes.

    As metadata of an annotation it says what the object holds that a run is given.
    """

    named: tuple[Parameter, ...] = ()
    takes_extra: bool = False
    extra: object = Any

    @property
    def is_empty(self) -> bool:
        """Whether a call can give nothing."""
        return not self.named and not self.takes_extra

    @property
    def required(self) -> tuple[str, ...]:
        """The names of those that each call must give."""
        return tuple(each.name for each in self.named if each.is_required)

    @property
    def hint(self) -> object:
        """The annotation that requests are checked against; a new one each time."""
        return Annotated[dict[str, Any], self]

    def __str__(self) -> str:
        return ", ".join([*map(str, self.named), *(["**…"] if self.takes_extra else [])])
