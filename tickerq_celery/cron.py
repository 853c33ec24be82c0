"""Cron expressions: parsed once, they say when to run next."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tickerq_celery.cron_grammar import CronText, parse_fields, split_fields
from tickerq_celery.cron_zone import ZonedFields
from tickerq_celery.errors import TickerValidationError

LONGEST_PREVIEW = 1000
_NOT_ZONES = ("right", "posix", "posixrules", "localtime")  # files beside the zones, or of this machine only


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSchedule:
    """A checked cron expression in its time zone; get one from ``parse``.

    Five fields, or six that begin with seconds; white space is normalised. A day must match both day
    fields; with ``day_or``, where both are set, either of them. DST: see ``cron_zone``.
    """

    expression: str
    time_zone: str
    day_or: bool
    sets_both_days: bool
    _times: ZonedFields = field(repr=False, compare=False)

    @classmethod
    def parse(cls, expression: str, *, time_zone: str, day_or: bool = False) -> "CronSchedule":
        """Return the schedule, or raise InvalidCronError or TickerValidationError saying what is wrong."""
        text = split_fields(expression)
        zone = find_zone(time_zone)
        return _parse(text, zone, day_or)

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first instant strictly after ``moment`` in UTC, or None if there is none any more."""
        return self._times.first_after(_utc("moment", moment))

    def latest_at_or_before(self, moment: datetime) -> datetime | None:
        """Return the last instant not after ``moment`` in UTC, or None if there was none yet."""
        return self._times.last_until(_utc("moment", moment))


def preview(
    expression: str, *, time_zone: str = "UTC", after: datetime, count: int = 10, day_or: bool = False
) -> list[datetime]:
    """Return the next ``count`` instants strictly after ``after`` in UTC; fewer where the expression ends."""
    _check_count(count)
    schedule = CronSchedule.parse(expression, time_zone=time_zone, day_or=day_or)
    instants: list[datetime] = []
    moment: datetime | None = _utc("after", after)
    while moment is not None and len(instants) < count:
        moment = schedule.next_after(moment)
        if moment is not None:
            instants.append(moment)
    return instants


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
    return CronSchedule(
        expression=text.expression,
        time_zone=zone.key,
        day_or=day_or,
        sets_both_days=text.sets_both_days,
        _times=ZonedFields(fields=parse_fields(text, day_or=day_or), zone=zone, is_wild=text.is_wild),
    )


def _check_count(count: object) -> None:
    if type(count) is not int or not 1 <= count <= LONGEST_PREVIEW:
        raise TickerValidationError("count", count, f"must be a whole number from 1 to {LONGEST_PREVIEW}")


def _utc(name: str, moment: object) -> datetime:
    if not isinstance(moment, datetime):
        raise TickerValidationError(name, moment, "must be a datetime")
    if moment.utcoffset() is None:
        raise TickerValidationError(
            name, moment, "naive datetime: pass an aware one, such as datetime.now(UTC)"
        )
    return moment.astimezone(UTC)
