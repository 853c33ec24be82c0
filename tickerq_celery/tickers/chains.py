"""Which children of a run start, wait or are skipped, and a nested ticker as a flat list."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tickerq_celery import validation
from tickerq_celery.enums import SUCCEEDED, TERMINAL, RunCondition, TickerStatus, word_of
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.tickers.inputs import TimeTicker

# The ticker at the head counts, as a node and as a level.
MOST_NODES = 1_000
MOST_LEVELS = 100
UNMET_REASON = "Rule RunCondition did not match!"
_GONE_WRONG = frozenset({TickerStatus.FAILED, TickerStatus.CANCELLED})
_MET_BY = {
    RunCondition.ON_SUCCESS: SUCCEEDED,
    RunCondition.ON_FAILURE: frozenset({TickerStatus.FAILED}),
    RunCondition.ON_CANCELLED: frozenset({TickerStatus.CANCELLED}),
    RunCondition.ON_FAILURE_OR_CANCELLED: _GONE_WRONG,
    RunCondition.ON_ANY_COMPLETED_STATUS: TERMINAL - {TickerStatus.SKIPPED},
    RunCondition.IN_PROGRESS: frozenset({TickerStatus.IN_PROGRESS}),
}
_TOO_MANY = f"a chain holds at most {MOST_NODES:,} tickers"
_TOO_DEEP = f"a chain is at most {MOST_LEVELS} levels deep"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainNode:
    """A ticker below the head of a chain; ``parent`` is its parent's index in the list, None for the head.

    ``path`` is how errors name it: ``children[0].children[2]``.
    """

    ticker: TimeTicker
    path: str
    parent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Siblings:
    """Children that wait to be looked at, with what they have in common."""

    parent: int | None
    prefix: str
    level: int
    children: object


def starting_statuses(condition: RunCondition | int | None) -> list[TickerStatus]:
    """Return the statuses of its parent at which a child with this condition starts; None means any end."""
    return sorted(_MET_BY[_meant(condition)])


def is_met(condition: RunCondition | int | None, status: TickerStatus) -> bool:
    """Whether a child with this condition starts when its parent gets to ``status``; None means any end."""
    return status in _MET_BY[_meant(condition)]


def unmet_reason(condition: RunCondition | int | None, status: TickerStatus) -> str:
    """Return why a child is skipped whose parent got to ``status``."""
    return f"{UNMET_REASON} It is {word_of(_meant(condition))}, and the parent is {status}"


def _meant(condition: RunCondition | int | None) -> RunCondition:
    return RunCondition.ON_ANY_COMPLETED_STATUS if condition is None else RunCondition(condition)


def run_condition(value: object) -> RunCondition | None:
    """Return a child's run condition.

    Raises:
        TickerValidationError: It is none.
    """
    return None if value is None else validation.member("run_condition", value, RunCondition)


def nodes_below(head: Any) -> list[ChainNode]:
    """Return the tickers below ``head``, a TimeTicker or a CronTicker, each after its parent.

    Raises:
        TickerValidationError: The chain is too large or too deep, or holds what is no TimeTicker.
    """
    if head.children == ():
        return []
    found: list[ChainNode] = []
    waiting = deque([_Siblings(parent=None, prefix="", level=2, children=head.children)])
    while waiting:
        siblings = waiting.popleft()
        for number, ticker in enumerate(_checked(siblings)):
            path = f"{siblings.prefix}children[{number}]"
            if not isinstance(ticker, TimeTicker):
                raise TickerValidationError(path, ticker, "pass a TimeTicker")
            found.append(ChainNode(ticker=ticker, path=path, parent=siblings.parent))
            if len(found) >= MOST_NODES:
                raise TickerValidationError("children", len(found) + 1, _TOO_MANY)
            waiting.append(
                _Siblings(
                    parent=len(found) - 1,
                    prefix=f"{path}.",
                    level=siblings.level + 1,
                    children=ticker.children,
                )
            )
    return found


def _checked(siblings: _Siblings) -> Sequence[object]:
    children = siblings.children
    if isinstance(children, str) or not isinstance(children, Sequence):
        raise TickerValidationError(f"{siblings.prefix}children", children, "pass a list of TimeTickers")
    if children and siblings.level > MOST_LEVELS:
        raise TickerValidationError("children", siblings.level, _TOO_DEEP)
    return children
