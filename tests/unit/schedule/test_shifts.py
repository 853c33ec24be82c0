"""Which wall-clock times a change of offset skips or repeats, found without a look at each of them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from tickerq_celery.schedule.dst import shift_at

# By an hour, by half of one, by a whole day, and twice around a month of fasting.
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca")
SEPTEMBER = datetime.fromisoformat("2011-09-01")


@pytest.mark.parametrize("name", ZONES)
def test_a_time_is_ordinary_if_its_offset_is_the_same_in_both_readings(name: str) -> None:
    zone, changed = ZoneInfo(name), 0
    for step in range(365 * 48):
        wall = SEPTEMBER + step * timedelta(minutes=29)
        before, after = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
        shift = shift_at(zone, wall)
        assert (None if shift is None else (shift.before, shift.after)) == (
            None if before == after else (before, after)
        ), wall
        changed += before != after
    assert changed


@pytest.mark.proof
@pytest.mark.timeout(1800)
def test_no_zone_changes_its_offset_and_back_within_three_days() -> None:
    for name in sorted(available_timezones()):
        zone, moment = ZoneInfo(name), datetime(1900, 1, 1, tzinfo=UTC)
        offset, since = moment.astimezone(zone).utcoffset(), datetime.min.replace(tzinfo=UTC)
        while moment.year < 2040:
            found = moment.astimezone(zone).utcoffset()
            if found != offset:
                assert moment - since > timedelta(days=2), (name, moment)
                offset, since = found, moment
            moment += timedelta(days=1)
