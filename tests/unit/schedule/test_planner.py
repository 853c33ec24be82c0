from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inner import checked_bounds
from tests.thoroughness import examples
from tickerq_celery.enums import MisfirePolicy
from tickerq_celery.schedule.cron_expression import CronSchedule, find_zone
from tickerq_celery.schedule.planner import Misfire, Plan, left_out, passed, plan, within_runs
from tickerq_celery.schedule.timetable import Timetable, make_timetable

RUN_ONCE, SKIP, RUN_ALL = MisfirePolicy.RUN_ONCE, MisfirePolicy.SKIP, MisfirePolicy.RUN_ALL
EVERY_FIVE = CronSchedule.parse("*/5 * * * *", time_zone="UTC")
EVERY_SECOND = CronSchedule.parse("* * * * * *", time_zone="UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-05-01T{text}").replace(tzinfo=UTC)


def planned(
    now: str,
    *,
    schedule: CronSchedule = EVERY_FIVE,
    next_run_at: str = "10:00",
    misfire: MisfirePolicy = RUN_ONCE,
    misfire_limit: int = 100,
    grace: timedelta | None = None,
) -> Plan:
    return plan(
        schedule,
        next_run_at=at(next_run_at),
        now=at(now),
        late_after=timedelta(seconds=5),
        misfire=misfire,
        misfire_limit=misfire_limit,
        misfire_grace=grace,
    )


def skipped(first: str, last: str, count: int, *, exact: bool = True) -> Misfire:
    return Misfire(first=at(first), last=at(last), count=count, count_is_exact=exact)


@pytest.mark.parametrize("misfire", MisfirePolicy)
def test_nothing_is_due_before_the_next_run(misfire: MisfirePolicy) -> None:
    assert planned("09:59:59", misfire=misfire) == Plan(instants=(), next_run_at=at("10:00"), skipped=None)


@pytest.mark.parametrize("misfire", MisfirePolicy)
@pytest.mark.parametrize("now", ["10:00", "10:00:05"])
def test_an_instant_on_time_runs_under_every_policy(misfire: MisfirePolicy, now: str) -> None:
    assert planned(now, misfire=misfire) == Plan(
        instants=(at("10:00"),), next_run_at=at("10:05"), skipped=None
    )


@pytest.mark.parametrize("misfire", MisfirePolicy)
def test_several_instants_between_two_ticks_are_no_outage(misfire: MisfirePolicy) -> None:
    decided = planned("10:00:03.5", schedule=EVERY_SECOND, misfire=misfire)
    assert decided.instants == (at("10:00:00"), at("10:00:01"), at("10:00:02"), at("10:00:03"))
    assert decided.next_run_at == at("10:00:04")
    assert decided.skipped is None


@pytest.mark.parametrize(
    ("misfire", "limit", "runs", "missed"),
    [
        (RUN_ONCE, 100, ["10:55"], skipped("10:00", "10:50", 11)),
        (SKIP, 100, [], skipped("10:00", "10:55", 12)),
        (RUN_ALL, 100, [f"10:{minute:02}" for minute in range(0, 60, 5)], None),
        (RUN_ALL, 12, [f"10:{minute:02}" for minute in range(0, 60, 5)], None),
        (RUN_ALL, 11, [f"10:{minute:02}" for minute in range(5, 60, 5)], skipped("10:00", "10:00", 1)),
        (RUN_ALL, 3, ["10:45", "10:50", "10:55"], skipped("10:00", "10:40", 2, exact=False)),
        (RUN_ALL, 1, ["10:55"], skipped("10:00", "10:50", 2, exact=False)),
        (RUN_ONCE, 3, ["10:55"], skipped("10:00", "10:50", 4, exact=False)),
        (RUN_ONCE, 1, ["10:55"], skipped("10:00", "10:50", 2, exact=False)),
        (SKIP, 1, [], skipped("10:00", "10:55", 3, exact=False)),
    ],
)
def test_an_outage_of_an_hour_is_treated_by_policy(
    misfire: MisfirePolicy, limit: int, runs: list[str], missed: Misfire | None
) -> None:
    decided = planned("10:59:30", misfire=misfire, misfire_limit=limit)
    assert decided.instants == tuple(map(at, runs))
    assert decided.skipped == missed
    assert decided.next_run_at == at("11:00")


def test_skip_still_runs_the_instant_at_which_the_outage_ends() -> None:
    decided = planned("11:00:02", misfire=SKIP)
    assert decided.instants == (at("11:00"),)
    assert decided.skipped == skipped("10:00", "10:55", 12)


@pytest.mark.parametrize(
    ("misfire", "runs", "missed"),
    [(RUN_ONCE, ["10:00"], None), (RUN_ALL, ["10:00"], None), (SKIP, [], skipped("10:00", "10:00", 1))],
)
def test_a_single_late_instant_runs_unless_late_ones_are_skipped(
    misfire: MisfirePolicy, runs: list[str], missed: Misfire | None
) -> None:
    decided = planned("10:00:06", misfire=misfire)
    assert decided.instants == tuple(map(at, runs))
    assert decided.skipped == missed


@pytest.mark.parametrize(
    ("misfire", "now", "runs", "missed"),
    [
        (RUN_ALL, "10:59:30", ["10:50", "10:55"], skipped("10:00", "10:45", 10)),
        (RUN_ONCE, "10:59:30", ["10:55"], skipped("10:00", "10:50", 11)),
        (RUN_ALL, "10:54:59", ["10:45", "10:50"], skipped("10:00", "10:40", 9)),
        (RUN_ALL, "10:55", ["10:45", "10:50", "10:55"], skipped("10:00", "10:40", 9)),
    ],
)
def test_instants_older_than_the_grace_never_run(
    misfire: MisfirePolicy, now: str, runs: list[str], missed: Misfire
) -> None:
    decided = planned(now, misfire=misfire, grace=timedelta(minutes=10))
    assert decided.instants == tuple(map(at, runs))
    assert decided.skipped == missed


@pytest.mark.parametrize("misfire", MisfirePolicy)
def test_when_even_the_latest_is_too_old_nothing_runs(misfire: MisfirePolicy) -> None:
    decided = planned("10:04:30", misfire=misfire, grace=timedelta(minutes=1))
    assert decided.instants == ()
    assert decided.skipped == skipped("10:00", "10:00", 1)


def test_an_instant_stored_under_other_zone_rules_is_taken_at_its_word() -> None:
    decided = planned("10:03:02", next_run_at="10:03")
    assert decided.instants == (at("10:03"),)
    assert decided.next_run_at == at("10:05")


@pytest.mark.parametrize(
    ("left", "runs", "next_run_at"),
    [
        (None, ["10:00", "10:05", "10:10"], "10:15"),
        (4, ["10:00", "10:05", "10:10"], "10:15"),
        (3, ["10:00", "10:05", "10:10"], None),
        (1, ["10:00"], None),
        (0, [], None),
    ],
)
def test_the_last_run_that_is_left_ends_a_cron(
    left: int | None, runs: list[str], next_run_at: str | None
) -> None:
    decided = within_runs(planned("10:12", misfire=RUN_ALL), left=left)
    assert decided.instants == tuple(map(at, runs))
    assert decided.next_run_at == (None if next_run_at is None else at(next_run_at))


def test_an_outage_keeps_its_record_when_the_last_run_is_over() -> None:
    decided = within_runs(planned("10:12"), left=1)
    assert decided.instants == (at("10:10"),)
    assert (decided.skipped, decided.next_run_at) == (skipped("10:00", "10:05", 2), None)


def test_a_cron_that_never_runs_again_has_no_next_instant() -> None:
    ending = CronSchedule.parse("30 9 1 1 *", time_zone="UTC")
    last = datetime(9998, 1, 1, 9, 30, tzinfo=UTC)
    decided = plan(
        ending,
        next_run_at=last,
        now=last,
        late_after=timedelta(seconds=5),
        misfire=RUN_ONCE,
        misfire_limit=100,
        misfire_grace=None,
    )
    assert decided == Plan(instants=(last,), next_run_at=None, skipped=None)


@pytest.mark.parametrize("misfire", MisfirePolicy)
def test_a_year_of_every_second_looks_at_no_more_than_the_limit_and_one(
    misfire: MisfirePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[datetime] = []
    look_back, look_ahead = CronSchedule.latest_at_or_before, CronSchedule.next_after

    def counted_back(schedule: CronSchedule, moment: datetime) -> datetime | None:
        looked_at.append(moment)
        return look_back(schedule, moment)

    def counted_ahead(schedule: CronSchedule, moment: datetime) -> datetime | None:
        looked_at.append(moment)
        return look_ahead(schedule, moment)

    monkeypatch.setattr(CronSchedule, "latest_at_or_before", counted_back)
    monkeypatch.setattr(CronSchedule, "next_after", counted_ahead)
    now = at("10:00") + timedelta(days=366)
    decided = plan(
        EVERY_SECOND,
        next_run_at=at("10:00"),
        now=now,
        late_after=timedelta(seconds=5),
        misfire=misfire,
        misfire_limit=20,
        misfire_grace=None,
    )
    assert len(looked_at) == 20 + 1 + 1  # the last one is the look ahead
    assert decided.next_run_at == now + timedelta(seconds=1)
    missed = decided.skipped
    assert missed is not None
    assert not missed.count_is_exact
    assert missed.last == now - timedelta(seconds=len(decided.instants))


@examples(150)
@given(
    st.sampled_from(["*/5 * * * *", "30 1 * * *", "0,20 */5 * * * *", "0 */2 * * *", "15 1-3 * * *"]),
    st.datetimes(datetime(2025, 10, 30), datetime(2025, 11, 5), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(days=3)),
    st.sampled_from(MisfirePolicy),
    st.integers(1, 30),
    st.none() | st.timedeltas(timedelta(0), timedelta(hours=3)),
)
def test_each_due_instant_either_runs_or_is_counted(
    expression: str,
    since: datetime,
    pause: timedelta,
    misfire: MisfirePolicy,
    limit: int,
    grace: timedelta | None,
) -> None:
    schedule = CronSchedule.parse(expression, time_zone="America/New_York")
    first = schedule.next_after(since)
    assert first is not None
    now = since + pause
    decided = plan(
        schedule,
        next_run_at=first,
        now=now,
        late_after=timedelta(seconds=5),
        misfire=misfire,
        misfire_limit=limit,
        misfire_grace=grace,
    )
    due = due_instants(schedule, first, now)
    assert list(decided.instants) == due[len(due) - len(decided.instants) :]
    assert len(decided.instants) <= limit
    assert decided.next_run_at == schedule.next_after(max(now, since))
    missed = due[: len(due) - len(decided.instants)]
    if not missed:
        assert decided.skipped is None
        return
    record = decided.skipped
    assert record is not None
    assert (record.first, record.last) == (missed[0], missed[-1])
    assert record.count <= len(missed)
    assert record.count == len(missed) or not record.count_is_exact


def due_instants(schedule: CronSchedule, first: datetime, now: datetime) -> list[datetime]:
    due: list[datetime] = []
    instant: datetime | None = first
    while instant is not None and instant <= now:
        due.append(instant)
        instant = schedule.next_after(instant)
    return due


def test_what_another_timetable_does_not_have_is_left_out() -> None:
    hourly = CronSchedule.parse("0 * * * *", time_zone="UTC")
    within = {"first": at("09:55"), "until": at("10:07")}
    assert left_out(EVERY_FIVE, hourly, **within, at_most=9) == skipped("09:55", "10:05", 2)
    assert left_out(EVERY_FIVE, EVERY_SECOND, **within, at_most=9) is None
    assert left_out(EVERY_FIVE, None, **within, at_most=9) == skipped("09:55", "10:05", 3)
    assert left_out(EVERY_FIVE, hourly, first=at("10:10"), until=at("10:09"), at_most=9) is None


def within(**bounds: Any) -> Timetable:
    """Return the timetable of every five minutes within bounds."""
    return make_timetable("*/5 * * * *", time_zone="UTC", now=at("05:00"), bounds=checked_bounds(**bounds))


def left_out_by(left: Timetable | None, *, first: str, until: str, at_most: int) -> Misfire | None:
    begin, end = at(first), at(until)
    edges = () if left is None else left.edges(begin, end)
    return left_out(EVERY_FIVE, left, first=begin, until=end, at_most=at_most, edges=edges)


@pytest.mark.parametrize(
    ("bounds", "missed"),
    [
        ({"start_at": at("07:01")}, skipped("05:00", "07:00", 2, exact=False)),
        ({"start_at": at("05:00")}, None),
        ({"end_at": at("06:00")}, skipped("06:05", "10:05", 5, exact=False)),
        ({"end_at": at("10:05")}, None),
        ({"end_at": datetime(9998, 12, 31, tzinfo=UTC)}, None),
        ({"exclude": [at("10:00").date()]}, skipped("05:00", "10:05", 5, exact=False)),
        ({"exclude": [date(2024, 4, 30), date(9999, 12, 31)]}, None),
    ],
    ids=str,
)
def test_of_a_long_outage_the_first_and_the_last_that_bounds_leave_out_are_recorded(
    bounds: dict[str, Any], missed: Misfire | None
) -> None:
    assert left_out_by(within(**bounds), first="05:00", until="10:07", at_most=3) == missed


def test_a_date_in_the_middle_of_a_long_outage_is_recorded_from_its_first_instant_to_its_last() -> None:
    left = within(exclude=[date(2024, 5, 2)])
    end = at("10:07") + timedelta(days=2)
    edges = left.edges(at("05:00"), end)
    out = left_out(EVERY_FIVE, left, first=at("05:00"), until=end, at_most=3, edges=edges)
    midnight = datetime(2024, 5, 2, tzinfo=UTC)
    last = midnight + timedelta(hours=23, minutes=55)
    assert out == Misfire(first=midnight, last=last, count=2, count_is_exact=False)


def test_where_no_run_is_left_all_of_a_long_outage_is_left_out() -> None:
    assert left_out_by(None, first="05:00", until="10:07", at_most=3) == skipped(
        "05:00", "10:05", 5, exact=False
    )


@examples(150)
@given(
    st.none() | st.integers(0, 90),
    st.none() | st.integers(0, 90),
    st.lists(st.integers(0, 3), max_size=3),
    st.integers(0, 80),
    st.integers(1, 12),
)
def test_a_record_of_what_bounds_leave_out_spans_just_those(
    start: int | None, end: int | None, days: list[int], hours: int, at_most: int
) -> None:
    hourly = CronSchedule.parse("0 * * * *", time_zone="America/New_York")
    first = datetime(2025, 11, 1, 4, tzinfo=UTC)
    until = first + timedelta(hours=hours)
    left = Timetable(
        instants=hourly,
        zone=find_zone("America/New_York"),
        start_at=None if start is None else first + timedelta(hours=start),
        end_at=None if end is None else first + timedelta(hours=end),
        exclude=frozenset(date(2025, 11, 1) + timedelta(days=day) for day in days),
    )
    out = [each for each in due_instants(hourly, first, until) if left.latest_at_or_before(each) != each]
    edges = left.edges(first, until)
    found = left_out(hourly, left, first=first, until=until, at_most=at_most, edges=edges)
    assert (None if found is None else (found.first, found.last)) == ((out[0], out[-1]) if out else None)
    assert found is None or found.count <= len(out)
    assert found is None or not found.count_is_exact or found.count == len(out)


@pytest.mark.parametrize(
    ("at_most", "missed"), [(9, skipped("09:55", "10:10", 4)), (2, skipped("09:55", "10:10", 4, exact=False))]
)
def test_what_passed_is_recorded_from_the_first_to_the_last(at_most: int, missed: Misfire) -> None:
    assert passed(EVERY_FIVE, first=at("09:55"), until=at("10:12"), at_most=at_most) == missed
    assert passed(EVERY_FIVE, first=at("09:55"), until=at("09:54"), at_most=at_most) is None


@pytest.mark.parametrize("misfire", MisfirePolicy)
@pytest.mark.parametrize("limit", [1, 2])
def test_what_falls_due_between_two_ticks_runs_whatever_the_limit(misfire: MisfirePolicy, limit: int) -> None:
    decided = planned("10:00:05", schedule=EVERY_SECOND, misfire=misfire, misfire_limit=limit)
    assert decided.instants == tuple(at(f"10:00:0{second}") for second in range(6))
    assert decided.skipped is None


def test_a_beat_that_may_be_an_hour_late_without_an_outage_runs_a_thousand_at_most() -> None:
    decided = plan(
        EVERY_SECOND,
        next_run_at=at("10:00"),
        now=at("10:59"),
        late_after=timedelta(hours=1),
        misfire=RUN_ONCE,
        misfire_limit=1,
        misfire_grace=None,
    )
    assert len(decided.instants) == 1_000
    assert decided.skipped is not None
