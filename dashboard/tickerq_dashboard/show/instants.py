"""Instants to come, by the clocks of their cron ticker's zone and of the reader's."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from tickerq_celery.views import Explanation
from tickerq_dashboard.show.moments import Clock, zone_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """An instant to come, as the cron's zone and the reader's show it; ``note`` says what clocks do to it."""

    instant: datetime
    own_date: str
    own_time: str
    own_zone: str
    reader_time: str
    reader_zone: str
    note: str | None


def instants_of(
    explanation: Explanation | None, coming: tuple[datetime, ...], zone_name: str, clock: Clock
) -> list[Instant]:
    """Return the coming instants in both zones, with the notes that the scheduler's own code has on them."""
    zone, _ = zone_named(zone_name)
    notes = {} if explanation is None else {each.instant: each.note for each in explanation.upcoming}
    return [_instant(each, zone, clock, notes.get(each)) for each in coming]


def _instant(instant: datetime, zone: tzinfo, clock: Clock, note: str | None) -> Instant:
    own, reader = instant.astimezone(zone), clock.local(instant)
    time = "%H:%M" if own.second == 0 else "%H:%M:%S"
    # The date only where it differs from that of the cron's own zone.
    date = "" if own.date() == reader.date() else f"{reader:%a} "
    return Instant(
        instant=instant,
        own_date=f"{own:%a %Y-%m-%d}",
        own_time=own.strftime(time),
        own_zone=f"{own:%Z}",
        reader_time=date + reader.strftime(time),
        reader_zone=f"{reader:%Z}",
        note=note,
    )
