"""What a function says of how many of its runs may be under way, as workers tell it to beats."""

from collections.abc import Mapping
from dataclasses import dataclass

from tickerq_celery.rate import Rate, slower


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLimits:
    """The limits of one function, counted over all workers; ``max_concurrency`` 0 is any number.

    ``max_concurrency_per_key`` is for runs that name the same concurrency key.
    """

    max_concurrency: int = 0
    max_concurrency_per_key: int = 1
    rate: Rate | None = None

    def stricter(self, other: "FunctionLimits") -> "FunctionLimits":
        """Return the stricter of two in each respect: workers differ while a new version is rolled out."""
        limited = [each for each in (self.max_concurrency, other.max_concurrency) if each > 0]
        return FunctionLimits(
            max_concurrency=min(limited, default=0),
            max_concurrency_per_key=min(self.max_concurrency_per_key, other.max_concurrency_per_key),
            rate=slower(self.rate, other.rate),
        )

    def as_json(self) -> dict[str, object]:
        """Return what a worker's node row holds."""
        return {
            "max_concurrency": self.max_concurrency,
            "max_concurrency_per_key": self.max_concurrency_per_key,
            "rate_limit": None if self.rate is None else str(self.rate),
        }


def limits_from(stored: object) -> FunctionLimits:
    """Return the limits that a worker's node row holds; older ones hold ``max_concurrency`` alone."""
    if not isinstance(stored, Mapping):
        return FunctionLimits(max_concurrency=int(str(stored)))
    rate = stored["rate_limit"]
    return FunctionLimits(
        max_concurrency=stored["max_concurrency"],
        max_concurrency_per_key=stored["max_concurrency_per_key"],
        rate=None if rate is None else Rate.parse(rate),
    )
