"""Durations in buckets, each √2 times as long as the one before: they add up, and give percentiles."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

_MICROSECOND = timedelta(microseconds=1)
# The square of the longest duration in the first bucket, in microseconds; it doubles from one to the next.
_FIRST_SQUARED = 1_000_000
_FIRST_MS = 1.0
_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many durations each bucket holds.

    The first one, 0, holds those up to 1 ms, and bucket n those up to √2ⁿ ms that are longer than what bucket
    n - 1 holds. So a percentile is read as at most 19 % longer or 16 % shorter than it is, and never as less
    than 0.8 ms.
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, durations: Iterable[timedelta]) -> Self:
        """Return the histogram of durations; what is negative counts as none."""
        return cls(dict(Counter(bucket_of(each) for each in durations)))

    @property
    def total(self) -> int:
        """How many durations there are."""
        return sum(self.counts.values())

    def plus(self, other: "Histogram") -> "Histogram":
        """Return the histogram of the durations of both."""
        if not self.counts or not other.counts:
            return self if self.counts else other
        counts = dict(self.counts)
        for bucket, count in other.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
        return Histogram(counts)

    def percentile(self, percent: int) -> timedelta | None:
        """Return how long so many percent of the durations are at most, about; None where there are none.

        It is the middle of the bucket in which the one of that rank is, in the logarithms.
        """
        # From 1, and exact, as a share in binary would not be.
        rank = max(1, -(-self.total * percent // 100))
        so_far = 0
        for bucket, count in sorted(self.counts.items()):
            so_far += count
            if so_far >= rank:
                return timedelta(milliseconds=_FIRST_MS * 2 ** ((bucket - 0.5) / 2))
        return None

    def bounds(self) -> Iterator[tuple[timedelta, timedelta, int]]:
        """Yield for each bucket that is not empty what it is above, what it goes up to, and its count."""
        for bucket, count in sorted(self.counts.items()):
            above = _ZERO if bucket == 0 else _upper(bucket - 1)
            yield above, _upper(bucket), count

    def as_json(self) -> dict[str, int]:
        """Return what is stored."""
        return {str(bucket): count for bucket, count in sorted(self.counts.items())}

    @classmethod
    def of_texts(cls, texts: str) -> Self:
        """Return the sum of histograms that were stored, given as their JSON texts with commas between."""
        counts: dict[str, int] = {}
        for stored in json.loads(f"[{texts}]"):
            for bucket, count in stored.items():
                counts[bucket] = counts.get(bucket, 0) + count
        return cls.from_json(counts)

    @classmethod
    def from_json(cls, stored: Mapping[str, int]) -> Self:
        """Return what was stored."""
        return cls({int(bucket): count for bucket, count in stored.items()})


def _upper(bucket: int) -> timedelta:
    return timedelta(milliseconds=_FIRST_MS * 2 ** (bucket / 2))


def bucket_of(duration: timedelta) -> int:
    """Return the bucket that a duration is in, to the microsecond."""
    microseconds = max(0, duration // _MICROSECOND)
    parts = -(-microseconds * microseconds // _FIRST_SQUARED)
    return max(0, parts - 1).bit_length()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Durations: how many, their sum, the longest, and their histogram."""

    count: int = 0
    total: timedelta = _ZERO
    longest: timedelta = _ZERO
    histogram: Histogram = field(default_factory=Histogram)

    @classmethod
    def of(cls, durations: Iterable[timedelta]) -> Self:
        """Return the spread of durations; what is negative counts as none at all."""
        found = [max(_ZERO, each) for each in durations]
        return cls(
            count=len(found),
            total=sum(found, _ZERO),
            longest=max(found, default=_ZERO),
            histogram=Histogram.of(found),
        )

    def plus(self, other: "Spread") -> "Spread":
        """Return the spread of the durations of both."""
        return Spread(
            count=self.count + other.count,
            total=self.total + other.total,
            longest=max(self.longest, other.longest),
            histogram=self.histogram.plus(other.histogram),
        )

    @property
    def mean(self) -> timedelta | None:
        """Their mean; None where there are none."""
        return self.total / self.count if self.count else None

    def percentile(self, percent: int) -> timedelta | None:
        """Return how long so many percent of them are at most, about, and never longer than the longest."""
        found = self.histogram.percentile(percent)
        return None if found is None else min(found, self.longest)
