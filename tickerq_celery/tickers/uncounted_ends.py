"""The ends that the roll-up has not counted yet: read once, for all figures of a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tickerq_celery.tickers.tallies import EndedRun, Grain, Tally, TallyKey, tallies


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class EndPosition:
    """A run in the order of their ends."""

    ended_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UncountedEnds:
    """The ends that the roll-up had not counted ``at`` a moment, the newest 2,000 of the store, as one value.

    Several figures that are given the same one are of that moment, and read these ends but once.
    """

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEnds(UncountedEnds):
    """What it holds: the ends ``after`` a position, the newest first; ``is_cut`` where there are more."""

    after: EndPosition = field(repr=False)
    ends: Sequence[EndedRun] = field(repr=False)
    is_cut: bool
    _added_up: dict[Grain, Mapping[TallyKey, Tally]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def none_after(cls, counted: EndPosition, *, at: datetime) -> "ReadEnds":
        """Return the value of no ends, where all that are asked about are counted."""
        return cls(at=at, after=counted, ends=(), is_cut=False)

    def tallies(self, grain: Grain) -> Mapping[TallyKey, Tally]:
        """Return what they come to in periods of one length: added up once, for all figures."""
        if grain not in self._added_up:
            self._added_up[grain] = tallies(self.ends, grain)
        return self._added_up[grain]

    def beyond(self, counted: EndPosition) -> "ReadEnds":
        """Return those of them that a roll-up has not counted which has come as far as this, or as it had."""
        if counted <= self.after:
            return self
        left = [each for each in self.ends if EndPosition(ended_at=each.ended_at, id=each.id) > counted]
        # If one of them is counted, then so is all that was cut off.
        is_cut = self.is_cut and len(left) == len(self.ends)
        return ReadEnds(at=self.at, after=counted, ends=left, is_cut=is_cut)

    @property
    def since(self) -> datetime:
        """From when on all ends are in it, or in the roll-up."""
        return self.ends[-1].ended_at if self.is_cut else self.after.ended_at
