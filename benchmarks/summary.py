"""What rounds say: medians with minimum and maximum, and ratios between subjects of the same round. Pure."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.measured import Measured, Unit
from benchmarks.outcomes import Round


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What identifies a figure within a measure."""

    quantity: str
    case: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median of some rounds, with the least and the greatest."""

    median: float
    least: float
    most: float
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity of one subject in all rounds."""

    key: Key
    unit: Unit
    spread: Spread
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as good ours is as a subject: above 1 ours is better, whatever the unit."""

    ours: Key
    other: Key
    spread: Spread


def key_of(measured: Measured) -> Key:
    return Key(measured.quantity, measured.case, measured.subject)


def spread_of(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(median=statistics.median(values), least=min(values), most=max(values), rounds=len(values))


def figures(rounds: Iterable[Round]) -> tuple[Figure, ...]:
    """Return a figure for each key, in the order in which they were first measured."""
    by_key: dict[Key, list[Measured]] = {}
    for measured in (each for one in rounds for each in one):
        by_key.setdefault(key_of(measured), []).append(measured)
    return tuple(
        Figure(
            key=key,
            unit=found[0].unit,
            spread=spread_of([each.value for each in found]),
            counts=tuple(each.count for each in found),
        )
        for key, found in by_key.items()
    )


def ratio(rounds: Iterable[Round], ours: Key, other: Key) -> Ratio | None:
    """Return how ours compares, round by round; None where no round has both.

    Two subjects of one round ran within seconds of each other, so that a machine which is slower for a while
    is so for both.
    """
    values = [
        _times_as_good(found[ours], found[other])
        for found in ({key_of(each): each for each in one} for one in rounds)
        if ours in found and other in found and _are_comparable(found[ours], found[other])
    ]
    return Ratio(ours=ours, other=other, spread=spread_of(values)) if values else None


def _are_comparable(ours: Measured, other: Measured) -> bool:
    return ours.unit is other.unit and ours.value > 0 and other.value > 0


def _times_as_good(ours: Measured, other: Measured) -> float:
    return ours.value / other.value if ours.unit.more_is_better else other.value / ours.value


def comparisons(rounds: Sequence[Round], *, ours: str) -> tuple[Ratio, ...]:
    """Return the ratio of ours to each other subject: in the same case if there is one, else in our first."""
    keys = [each.key for each in figures(rounds)]
    found = []
    for other in (each for each in keys if each.subject != ours):
        own = [each for each in keys if (each.subject, each.quantity) == (ours, other.quantity)]
        own.sort(key=lambda each: each.case != other.case)
        compared = ratio(rounds, own[0], other) if own else None
        if compared is not None:
            found.append(compared)
    return tuple(found)
