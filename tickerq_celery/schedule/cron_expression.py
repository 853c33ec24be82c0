"""Cron expressions: parsed once, they say when to run next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tickerq_celery.errors import InvalidCronError, TickerValidationError
from tickerq_celery.schedule.dst import ZonedFields
from tickerq_celery.schedule.grammar import CronText, parse_fields, split_fields

NO_DAY = "no day matches its day and month fields"
NO_TIME = "all that it names is skipped by the clocks"
_NOT_ZONES = ("right", "posix", "posixrules", "localtime")  # files beside the zones, or of this machine only


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSchedule:
    """A checked cron expression in its time zone; get one from ``parse``.

    Five fields, or six that begin with seconds; white space is normalised. A day must match both day
    fields; with ``day_or``, where both are set, either of them. DST: see ``schedule/dst.py``.
    """

    expression: str
    time_zone: str
    day_or: bool
    sets_both_days: bool
    is_empty: bool
    times: ZonedFields = field(repr=False, compare=False)

    @classmethod
    def parse(cls, expression: str, *, time_zone: str, day_or: bool = False) -> "CronSchedule":
        """Return the schedule.

        Raises:
            InvalidCronError: The expression cannot be parsed, or no day of any year matches it.
            TickerValidationError: There is no such time zone.
        """
        schedule = cls.read(expression, time_zone=time_zone, day_or=day_or)
        if schedule.is_empty:
            raise InvalidCronError(schedule.expression, f"never fires: {NO_DAY}")
        return schedule

    @classmethod
    def read(cls, expression: str, *, time_zone: str, day_or: bool = False) -> "CronSchedule":
        """Return the schedule as ``parse`` does, even one that no day of any year matches."""
        return _parse(split_fields(expression), find_zone(time_zone), day_or)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first instant strictly after ``moment`` in UTC, or None if there is none any more."""
        if self.is_empty:
            return None
        return self.times.first_after(as_utc("moment", moment))

    def latest_at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last instant not after ``moment`` in UTC, or None if there was none yet."""
        if self.is_empty:
            return None
        return self.times.last_until(as_utc("moment", moment))

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many instants lie from ``since`` on and before ``until``."""
        return 0 if self.is_empty else self.times.count(as_utc("since", since), as_utc("until", until))


def find_zone(name: object) -> ZoneInfo:
    """Return the IANA time zone of that name, or raise TickerValidationError."""
    if not isinstance(name, str) or not name or name.split("/")[0] in _NOT_ZONES:
        raise TickerValidationError("time_zone", name, "must be an IANA name, such as Europe/London")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:  # paths, folders and unreadable files, too
        reason = "no such IANA time zone on this machine (where it has none at all, install tzdata)"
        raise TickerValidationError("time_zone", name, reason) from exc


@lru_cache(maxsize=4096)
def _parse(text: CronText, zone: ZoneInfo, day_or: bool) -> CronSchedule:
    cron_fields = parse_fields(text, day_or=day_or)
    return CronSchedule(
        expression=text.expression,
        time_zone=zone.key,
        day_or=day_or,
        sets_both_days=text.sets_both_days,
        is_empty=not cron_fields.ever_match(),
        times=ZonedFields(fields=cron_fields, zone=zone, is_wild=text.is_wild),
    )


def as_utc(name: str, moment: object) -> datetime:
    """Return an aware moment in UTC, or raise TickerValidationError that names it."""
    if not isinstance(moment, datetime):
        raise TickerValidationError(name, moment, "must be a datetime")
    if moment.utcoffset() is None:
        raise TickerValidationError(
            name, moment, "naive datetime: pass an aware one, such as datetime.now(UTC)"
        )
    return moment.astimezone(UTC)
