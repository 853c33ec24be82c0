"""What can happen next, each with a weight: a rule of Hypothesis's own is left out of half of the examples.

That is of use where rules stand side by side. Here each is a step of one long way, and without deliveries,
say, there would be nothing to finish, to lose or to rescue.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

Method = TypeVar("Method", bound=Callable[..., None])
POSITIONS = 10_000
# Far, and prime: it leads to every position, and from one action's part into those of all others.
_STRIDE = 61
_MARK = "action"


class Action(NamedTuple):
    """Something that can happen while ``when`` holds, as often as its weight says."""

    name: str
    weight: int
    when: Callable[[Any], object]
    arguments: Mapping[str, st.SearchStrategy[Any]]


def action(
    weight: int, when: Callable[[Any], object] = lambda machine: True, **arguments: st.SearchStrategy[Any]
) -> Callable[[Method], Method]:
    """Let the machine call the decorated method with drawn arguments."""

    def mark(method: Method) -> Method:
        setattr(method, _MARK, Action(method.__name__, weight, when, arguments))
        return method

    return mark


class Wheel:
    """All actions of a machine, each with a part as large as its weight."""

    def __init__(self, machine: type) -> None:
        marks = [getattr(getattr(machine, name), _MARK, None) for name in dir(machine)]
        actions: list[Action] = [mark for mark in marks if mark is not None]
        # The most common stands first: what fails is shrunk to that.
        actions.sort(key=lambda each: (-each.weight, each.name))
        self._positions = [each for each in actions for _ in range(each.weight)]

    def stopped_at(self, position: int, machine: object) -> Action:
        """Return the action at a position, or one of another position where that cannot happen now.

        The position alone says which are tried, in which order: so it means the same, as far as possible,
        when what came before is shrunk.
        """
        in_order = (
            self._positions[(position + _STRIDE * n) % len(self._positions)] for n in range(_STRIDE * 10)
        )
        return next(each for each in in_order if each.when(machine))
