"""Plain parameters of a function as its request: one JSON object, by their names."""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, NoReturn

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import (
    CoreSchema,
    no_info_plain_validator_function,
    typed_dict_field,
    typed_dict_schema,
)

NO_SUCH_PARAMETER = "no_such_parameter"


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

    As metadata of an annotation it is the pydantic type of the object: what was not given stays out, so that
    the function's own default counts when it runs.
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

    def __get_pydantic_core_schema__(self, _: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        fields = {
            each.name: typed_dict_field(handler.generate_schema(each.type), required=each.is_required)
            for each in self.named
        }
        extra = (
            handler.generate_schema(self.extra)
            if self.takes_extra
            else no_info_plain_validator_function(_refuse)
        )
        return typed_dict_schema(fields, extra_behavior="allow", extras_schema=extra)

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        shown = schema if self.takes_extra else typed_dict_schema(schema["fields"], extra_behavior="forbid")
        found = handler.resolve_ref_schema(handler(shown))
        for each in self.named:
            if not each.is_required and _is_json(each.default):
                found["properties"][each.name]["default"] = each.default
        return found


def _refuse(_: object) -> NoReturn:
    raise PydanticCustomError(NO_SUCH_PARAMETER, "the function has no such parameter")


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
