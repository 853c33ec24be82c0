"""What an address asks of a list, checked before the store sees it."""

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from tickerq_celery import TickerStatus, TickerType

MAX_FUNCTION_LENGTH = 200

STATUS_SLUGS = {status.name.lower().replace("_", "-"): status for status in TickerStatus}
# No status of its own: Queued, Done or DueDone, of runs of which no more than their publication is known.
PUBLISHED_SLUG = "published"
TYPE_SLUGS = {"time": TickerType.TIME_TICKER, "cron": TickerType.CRON_TICKER_OCCURRENCE}


class FilterError(ValueError):
    """A filter in the address has a value that means nothing."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"{name}: {value!r} is not a value of this filter")
        self.name = name
        self.value = value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are shown, as the words of the address."""

    function: str = ""
    status: str = ""
    type: str = ""

    def __post_init__(self) -> None:
        # PostgreSQL cannot compare with a NUL.
        if len(self.function) > MAX_FUNCTION_LENGTH or "\0" in self.function:
            raise FilterError("function", self.function)
        if self.status and self.status not in {*STATUS_SLUGS, PUBLISHED_SLUG}:
            raise FilterError("status", self.status)
        if self.type and self.type not in TYPE_SLUGS:
            raise FilterError("type", self.type)

    @property
    def words(self) -> dict[str, str]:
        """The filters that are set, as they stand in an address."""
        given = {"function": self.function, "status": self.status, "type": self.type}
        return {name: word for name, word in given.items() if word}

    @property
    def status_wanted(self) -> TickerStatus | None:
        """The status that the store shall look for; None is any."""
        return STATUS_SLUGS.get(self.status)

    @property
    def is_published(self) -> bool | None:
        """Whether the runs must be shown as Published; None where that does not matter."""
        return self.status == PUBLISHED_SLUG if self.status else None

    @property
    def type_wanted(self) -> TickerType | None:
        """The type that the store shall look for; None is both."""
        return TYPE_SLUGS.get(self.type)


def run_filter_in(args: MultiDict[str, str]) -> RunFilter:
    """Return the run filter of an address; an empty field is no filter."""
    return RunFilter(
        function=args.get("function", "").strip(), status=args.get("status", ""), type=args.get("type", "")
    )


def cursor_in(args: MultiDict[str, str]) -> str | None:
    """Return the page mark of an address, or None for the first page."""
    cursor = args.get("cursor", "")
    return cursor if cursor else None
