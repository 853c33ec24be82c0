"""Make frozen values of many fields fast: one call may make tens of thousands of them."""

from collections.abc import Callable, Sequence
from dataclasses import fields, make_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def constructor(kind: type[T], names: Sequence[str]) -> Callable[..., T]:
    """Return what makes a frozen dataclass with slots of its fields' values, all and in the order ``names``.

    The class's own ``__init__`` takes them by name and sets each through ``object.__setattr__``, since the
    class itself refuses it: with fifty fields that is most of what a row costs. This one assigns them to an
    object of a class that differs in being open, and then gives it its own class. It calls no
    ``__post_init__``.
    """
    if {each.name for each in fields(kind)} != set(names):  # type: ignore[arg-type]  # it is a dataclass
        raise AssertionError(f"name each field of {kind.__name__} once")
    assigned: Any = make_dataclass(kind.__name__, names)
    space = {"__slots__": vars(kind)["__slots__"], "__setattr__": object.__setattr__}
    opened: Any = type(kind.__name__, kind.__bases__, space)
    new, assign = object.__new__, assigned.__init__

    def make(*values: Any) -> T:
        made = new(opened)
        assign(made, *values)
        made.__class__ = kind
        return made  # type: ignore[no-any-return]  # it is one by now

    return make
