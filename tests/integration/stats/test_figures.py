"""What figures say is what happened, each end once: of the roll-up and of what it has not counted yet."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Never

import pytest

from tests.inner import Core, Transaction
from tests.integration.making import storing
from tests.integration.stats.rolling import ended, random_ends, roll_all, write
from tests.manual_clock import ManualClock
from tests.statements import counted_ends, rolled_figures
from tickerq_celery import TickerStatus
from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.managers.error_groups import ErrorManager
from tickerq_celery.managers.stats import StatsManager
from tickerq_celery.stats import reading
from tickerq_celery.stats.function_figures import figures_of
from tickerq_celery.stats.reading import Question
from tickerq_celery.stats.rolling import roll_up
from tickerq_celery.views import UncountedEnds

FAILED = TickerStatus.FAILED
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def stats(core: Core) -> StatsManager:
    return StatsManager(storing(core))


def errors(core: Core) -> ErrorManager:
    return ErrorManager(storing(core))


def failed(core: Core, at: datetime, error: str = "shop.NoStock", **columns: Any) -> dict[str, Any]:
    return ended(core, at, status=FAILED, exception_type=error, **columns)


@pytest.mark.every_database
def test_figures_are_the_same_however_much_of_it_is_counted(core: Core, clock: ManualClock) -> None:
    write(core, *random_ends(core, Random(11), clock.now(), 300))
    clock.advance(hours=3, minutes=3)

    def figures() -> list[object]:
        throughput, groups = stats(core).throughput(), errors(core).groups()
        assert throughput.is_complete
        durations, lag = stats(core).durations(function="Send"), stats(core).lag()
        top = stats(core).top_failing().functions
        counts = [(each.function, each.counts, each.durations.mean, each.last_failed_at) for each in top]
        return [throughput.total, throughput.points, groups.groups, durations.total, lag.points, counts]

    live = figures()
    for _ in range(3):
        rolled = core.write(roll_up, limit=100)
        assert rolled is not None
        assert rolled.ends == 100
        assert figures() == live


@pytest.mark.every_database
def test_an_end_that_is_counted_meanwhile_is_in_a_figure_once(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(core, *random_ends(core, Random(4), clock.now(), 40))
    clock.advance(hours=3, minutes=3)
    live = stats(core).throughput().total
    newest = counted_ends.newest

    def counted_meanwhile(tx: Transaction, *arguments: Any, **options: Any) -> Any:
        assert core.write(roll_up, limit=20) is not None
        return newest(tx, *arguments, **options)

    monkeypatch.setattr(counted_ends, "newest", counted_meanwhile)
    for _ in range(3):
        assert stats(core).throughput().total == live


@pytest.mark.every_database
def test_figures_of_one_moment_share_the_ends_that_are_not_counted(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(core, *random_ends(core, Random(11), clock.now(), 60))
    clock.advance(hours=3, minutes=3)

    def figures(uncounted: UncountedEnds | None) -> list[object]:
        own, groups = stats(core), errors(core).groups(uncounted=uncounted)
        top = own.top_failing(uncounted=uncounted).functions
        total = own.throughput(uncounted=uncounted).total
        return [total, own.lag(uncounted=uncounted).points, own.durations(uncounted=uncounted), groups, top]

    alone, uncounted = figures(None), stats(core).uncounted()
    monkeypatch.setattr(counted_ends, "newest", too_often)
    write(core, ended(core, clock.now()))
    assert figures(uncounted) == alone
    # Those that are counted meanwhile are in a figure once.
    for _ in range(3):
        assert core.write(roll_up, limit=20) is not None
        assert figures(uncounted)[:2] == alone[:2]


def too_often(*_: object, **__: object) -> Never:
    raise AssertionError("the ends that are not counted were read again")


def test_what_is_no_uncounted_ends_is_refused(core: Core) -> None:
    anything: Any = object()
    for ask in (stats(core).throughput, stats(core).lag, stats(core).top_failing, errors(core).groups):
        with pytest.raises(TickerValidationError, match="uncounted: pass what"):
            ask(uncounted=anything)


def test_a_series_has_a_point_for_each_step(core: Core, clock: ManualClock) -> None:
    first = clock.now()
    write(core, ended(core, first), ended(core, first + HOUR), failed(core, first + 2 * HOUR))
    clock.advance(hours=5)
    roll_all(core)
    hours = stats(core).throughput(since=first, until=first + 4 * HOUR)
    assert [each.counts.ends for each in hours.points] == [1, 1, 1, 0]
    assert [each.at for each in hours.points] == [first + n * HOUR for n in range(4)]
    two = stats(core).throughput(since=first, until=first + 4 * HOUR, step=2 * HOUR)
    assert [(each.counts.done, each.counts.failed) for each in two.points] == [(2, 0), (0, 1)]
    assert two.total.success_share == pytest.approx(2 / 3)


def test_of_one_step_the_figures_are_read_in_a_row_for_each_status(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clock.now()
    write(core, *(ended(core, first + n * HOUR) for n in range(4)), failed(core, first + HOUR))
    clock.advance(hours=5)
    roll_all(core)
    read, sums = [], rolled_figures.sums

    def watched(*args: Any, **kwargs: Any) -> Any:
        found = sums(*args, **kwargs)
        read.append(len(found.rows))
        return found

    monkeypatch.setattr(rolled_figures, "sums", watched)
    day = stats(core).throughput(since=first, until=first + 4 * HOUR, step=4 * HOUR)
    assert (day.total.done, day.total.failed) == (4, 1)
    assert [(each.at, each.counts.ends) for each in day.points] == [(first, 5)]
    assert read == [2]


def test_a_window_is_the_last_day_in_whole_hours(core: Core, clock: ManualClock) -> None:
    clock.advance(minutes=30)
    found = stats(core).throughput()
    assert (found.since, found.until) == (clock.now() - 24.5 * HOUR, clock.now() + HOUR / 2)
    assert len(found.points) == 25


@pytest.mark.every_database
@pytest.mark.parametrize("is_counted", [False, True], ids=["live", "counted"])
def test_the_last_hours_have_figures_by_half_hours_and_by_minutes(
    core: Core, clock: ManualClock, is_counted: bool
) -> None:
    clock.advance(minutes=20)
    at = clock.now()
    write(
        core,
        ended(core, at),
        failed(core, at + 30 * SECOND),
        failed(core, at + 11 * MINUTE, function="Bill"),
        failed(core, at + 12 * MINUTE),
    )
    clock.advance(minutes=15)
    if is_counted:
        roll_all(core)
    halves = stats(core).throughput(since=at, step=HOUR / 2)
    assert (halves.since, halves.until) == (at - 20 * MINUTE, at + 40 * MINUTE)
    assert [(each.counts.done, each.counts.failed) for each in halves.points] == [(1, 1), (0, 2)]
    minutes = stats(core).throughput(since=at, step=MINUTE)
    assert (minutes.since, minutes.until, len(minutes.points)) == (at, at + 16 * MINUTE, 16)
    assert [each.counts.ends for each in minutes.points] == [2, *[0] * 10, 1, 1, 0, 0, 0]
    three = errors(core).groups(since=at, step=3 * MINUTE)
    assert [(each.function, each.counts) for each in three.groups] == [
        ("Send", (1, 0, 0, 0, 1, 0)), ("Bill", (0, 0, 0, 1, 0, 0)),
    ]  # fmt: skip
    assert all(each.sample_id is not None for each in three.groups)
    assert stats(core).lag(since=at, step=MINUTE).total.count == 4
    assert stats(core).lag(since=at + 12 * MINUTE, step=MINUTE).total.count == 1


def test_what_no_period_is_kept_of_is_refused(core: Core, clock: ManualClock) -> None:
    for step, kept in ((HOUR / 2, timedelta(days=40)), (MINUTE, timedelta(hours=3))):
        first = clock.now() - kept
        stats(core).throughput(since=first, until=first + HOUR, step=step)
        with pytest.raises(TickerValidationError, match="since: such a step is there for the last"):
            stats(core).throughput(since=first - step, until=first, step=step)


@pytest.mark.every_database
def test_figures_are_the_same_by_hours_and_by_the_shorter_periods_that_they_are_read_from(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(core, *random_ends(core, Random(13), clock.now(), 200))
    clock.advance(hours=3, minutes=3)
    roll_all(core, limit=150)
    write(core, *(failed(core, clock.now()), ended(core, clock.now())))

    def figures() -> list[object]:
        throughput, groups = stats(core).throughput(), errors(core).groups(step=2 * HOUR)
        return [throughput.points, stats(core).lag(), groups, errors(core).groups(function="Send")]

    by_half_hours = figures()
    monkeypatch.setattr(Question, "grain", lambda question, now: question.window.grain)
    assert figures() == by_half_hours


def test_errors_are_counted_by_step_where_that_is_asked_for(core: Core, clock: ManualClock) -> None:
    at = clock.now()
    write(core, *(failed(core, at + n * HOUR) for n in (0, 0, 3)))
    clock.advance(hours=4)
    found = errors(core).groups(since=at, step=2 * HOUR)
    assert [each.counts for each in found.groups] == [(2, 1, 0)]
    assert [each.counts for each in errors(core).groups(since=at).groups] == [()]


def test_published_calls_stand_apart(core: Core, clock: ManualClock) -> None:
    call = {"kind": TickerKind.CELERY_TASK.value, "elapsed": None}
    write(core, ended(core, clock.now(), started_at=None, **call), ended(core, clock.now(), **call))
    total = stats(core).throughput().total
    assert (total.done, total.published, total.ends, total.success_share) == (1, 1, 2, 1.0)


def test_timings_are_of_one_function_or_of_all(core: Core, clock: ManualClock) -> None:
    at = clock.now()
    write(core, ended(core, at), ended(core, at, function="Bill", elapsed=MINUTE, started_at=at - MINUTE))
    of_all, of_one = stats(core).durations(), stats(core).durations(function="Send")
    assert (of_all.total.count, of_all.total.mean, of_all.total.longest) == (2, 31 * SECOND, MINUTE)
    assert (of_one.function, of_one.total.count, of_one.total.mean) == ("Send", 1, 2 * SECOND)
    assert stats(core).lag(function="Send").total.mean == SECOND
    nothing = stats(core).lag(function="Nowhere").total
    assert (nothing.count, nothing.mean, nothing.p99, nothing.longest) == (0, None, None, None)


def test_errors_are_grouped_by_function_and_type_with_the_run_that_failed_last(
    core: Core, clock: ManualClock
) -> None:
    at = clock.now()
    rows = [failed(core, at + n * MINUTE, exception_message=f"no. {n} {'x' * 300}") for n in range(3)]
    other = failed(core, at + 2 * HOUR, "builtins.OSError", function="Bill")
    write(core, *rows, other, ended(core, at))
    clock.advance(hours=1)
    roll_all(core)
    clock.advance(hours=2)
    bill, send = errors(core).groups().groups
    assert (bill.function, bill.sample_id, bill.sample_head) == ("Bill", other["id"], None)
    assert (send.function, send.error_type, send.count) == ("Send", "shop.NoStock", 3)
    assert (send.first_seen, send.last_seen) == (at, at + 2 * MINUTE)
    assert send.sample_id == rows[2]["id"]
    assert send.sample_head is not None
    assert send.sample_head.startswith("no. 2 xxx")
    assert len(send.sample_head) == 200
    assert errors(core).groups(function="Send").groups == (send,)
    assert [each.sample_id for each in errors(core).groups(with_samples=False).groups] == [None, None]
    assert errors(core).groups(limit=1).groups == (bill,)


def test_the_most_failing_come_first(core: Core, clock: ManualClock) -> None:
    at = clock.now()
    often = [failed(core, at, function="Bill") for _ in range(3)]
    write(core, failed(core, at), *often, ended(core, at, function="Fine"), ended(core, at, function="Bill"))
    found = stats(core).top_failing().functions
    assert [(each.function, each.counts.failed) for each in found] == [("Bill", 3), ("Send", 1)]
    assert found[0].counts.success_share == 0.25
    assert len(stats(core).top_failing(limit=1).functions) == 1


def test_functions_have_figures_of_their_own(core: Core, clock: ManualClock) -> None:
    at = clock.now()
    write(core, failed(core, at), ended(core, at), ended(core, at, function="Bill"))
    found = core.read(figures_of, {"Send", "Nowhere"}, since=at - HOUR, until=at + HOUR)
    assert list(found) == ["Send"]
    assert (found["Send"].counts.ends, found["Send"].last_failed_at) == (2, at)
    assert found["Send"].durations.p95 is not None
    clock.advance(hours=1)
    assert core.read(figures_of, None, since=at, until=at + HOUR).keys() == {"Send", "Bill"}


def test_figures_are_of_one_namespace(core: Core, clock: ManualClock) -> None:
    write(core, ended(core, clock.now(), namespace="elsewhere"))
    assert stats(core).throughput().total.ends == 0
    clock.advance(minutes=3)
    roll_all(core)
    assert stats(core).throughput().total.ends == 0


def test_where_too_many_ends_are_not_counted_figures_say_from_when_on_they_have_them(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_LIVE", 2)
    roll_all(core)
    at = clock.now()
    write(core, *(ended(core, at + n * SECOND) for n in range(3)))
    clock.advance(minutes=1)
    found = stats(core).throughput()
    assert (found.total.ends, found.is_complete) == (2, False)
    assert (found.counted_until, found.live_from) == (at - 2 * MINUTE, at + SECOND)
    clock.advance(minutes=3)
    roll_all(core)
    found = stats(core).throughput()
    assert (found.total.ends, found.is_complete) == (3, True)


def test_what_needs_too_many_rows_is_refused(
    core: Core, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rolled_figures, "MOST_ROWS", 1)
    write(core, ended(core, clock.now()), failed(core, clock.now()))
    clock.advance(minutes=3)
    roll_all(core)
    with pytest.raises(TickerValidationError, match="shorter window, or a function"):
        stats(core).durations()
    assert stats(core).throughput().total.ends == 2


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"since": datetime(2026, 1, 1)}, "since"),  # noqa: DTZ001 - that is what is refused
        ({"since": timedelta(days=1)}, "since"),
        ({"until": "now"}, "until"),
        ({"step": 90}, "step"),
        ({"step": 0}, "step"),
        ({"step": 1_800, "function": "Send"}, "step"),
        ({"step": 60}, "since"),
        ({"function": ""}, "function"),
    ],
)
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_means_nothing_is_refused(core: Core, arguments: dict[str, Any], field: str) -> None:
    for ask in (stats(core).throughput, stats(core).durations, stats(core).lag):
        with pytest.raises(TickerValidationError) as refused:
            ask(**arguments)
        assert refused.value.field == field


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_window_is_bounded(core: Core, clock: ManualClock) -> None:
    now = clock.now()
    for since, until, step, field in (
        (now + HOUR, None, None, "since"),
        (now - HOUR, now - 2 * HOUR, None, "since"),
        (now - timedelta(days=401), None, None, "since"),
        (now - timedelta(days=20), None, HOUR, "step"),
    ):
        with pytest.raises(TickerValidationError) as refused:
            stats(core).throughput(since=since, until=until, step=step)
        assert refused.value.field == field
    assert len(stats(core).throughput(since=now - timedelta(days=400)).points) == 401
    assert stats(core).throughput(until=now + timedelta(days=9)).until == now + HOUR
    with pytest.raises(TickerValidationError):
        errors(core).groups(limit=201)
