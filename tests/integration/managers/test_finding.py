"""Finding and counting runs by each filter, on each database."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from tests.inner import failed
from tests.integration.apps import change_row, dispatch_due, enrol_worker, fire_crons, ticker_app
from tests.integration.making import claim, failure, finish, started
from tests.integration.reaching import reach
from tests.manual_clock import START, ManualClock
from tests.statements import nodes, publications
from tickerq_celery import CronTicker, Run, TickerQ, TickerStatus, TickerType, TimeTicker
from tickerq_celery.enums import TERMINAL
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.scheduler import TickerScheduler

HOUR = timedelta(hours=1)
DISTANT = START + 9 * HOUR
Status = TickerStatus


@pytest.fixture
def tickerq(store_url: str, namespace: str, clock: ManualClock) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace, clock) as made:
        made.function("Send")(lambda: None)
        made.function("Count")(lambda: None)
        enrol_worker(made)
        yield made


@pytest.fixture
def runs(tickerq: TickerQ, clock: ManualClock) -> dict[str, UUID]:
    """Five runs that differ in everything that can be looked for."""
    add, core = tickerq.time_tickers.add, tickerq.core
    cron = tickerq.cron_tickers.add(CronTicker(function="Count", expression="0 * * * *"))
    child = TimeTicker(function="Send", execution_time=START + 3 * HOUR)
    parent = TimeTicker(function="Send", execution_time=START + 2 * HOUR, tags=["eu"], children=[child])
    idle = add(parent).id
    made = {
        "idle": idle,
        "held": tickerq.runs.find(parent_id=idle)[0].id,
        "failed": add(TimeTicker(function="Send", execution_time=START + HOUR)).id,
        "running": add(TimeTicker(function="Count", execution_time=START + HOUR)).id,
        "occurrence": tickerq.cron_tickers.run_now(cron.id).id,
    }
    clock.advance(hours=1)
    attempt = started(core, made["failed"])
    assert finish(core, attempt, failed(attempt.standing, failure("50% of Hosts_ are down")))
    started(core, made["running"])
    return {**made, "cron": cron.id}


def found(tickerq: TickerQ, runs: dict[str, UUID], **filters: Any) -> list[str]:
    names = {id_: name for name, id_ in runs.items()}
    page = tickerq.runs.find(**filters)
    assert tickerq.runs.count(**filters) == len(page)
    return [names[run.id] for run in page]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["occurrence", "running", "failed", "held", "idle"]),
        ({"function": "Count"}, ["occurrence", "running"]),
        ({"function": None, "status": None}, ["occurrence", "running", "failed", "held", "idle"]),
        ({"status": Status.FAILED}, ["failed"]),
        ({"status": Status.IN_PROGRESS}, ["running"]),
        ({"status": [Status.FAILED, Status.IN_PROGRESS]}, ["running", "failed"]),
        ({"status": []}, []),
        ({"held_for": "parent"}, ["held"]),
        ({"held_for": "paused"}, []),
        ({"type": TickerType.CRON_TICKER_OCCURRENCE}, ["occurrence"]),
        ({"tag": "eu"}, ["idle"]),
        ({"tag": "e"}, []),
        ({"error": "hosts_"}, ["failed"]),
        ({"error": "oserror"}, ["failed"]),
        ({"error": "50%"}, ["failed"]),
        ({"error": "h%s"}, []),
        ({"execution_from": START + 2 * HOUR}, ["held", "idle"]),
        ({"execution_until": START + 2 * HOUR}, ["occurrence", "running", "failed"]),
        ({"execution_from": START + HOUR, "execution_until": START + 2 * HOUR}, ["running", "failed"]),
        ({"ended_from": START + HOUR}, ["failed"]),
        ({"ended_until": START + HOUR}, []),
        ({"status": Status.IDLE, "function": "Send", "tag": "eu"}, ["idle"]),
    ],
)
def test_a_run_is_found_by_what_it_is(
    tickerq: TickerQ, runs: dict[str, UUID], filters: dict[str, Any], expected: list[str]
) -> None:
    assert found(tickerq, runs, **filters) == expected


def test_a_held_run_is_found_by_the_key_of_its_hold(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    key, other = str(runs["idle"]), "function:Send"
    assert found(tickerq, runs, held_for="parent", hold_key=key) == ["held"]
    assert found(tickerq, runs, hold_key=[other, key]) == ["held"]
    assert found(tickerq, runs, hold_key=other) == []
    for refused in ("x" * 301, [str(number) for number in range(201)]):
        with pytest.raises(TickerValidationError, match="hold_key"):
            tickerq.runs.count(hold_key=refused)


def calls_of_a_celery_task(tickerq: TickerQ, clock: ManualClock) -> dict[str, UUID]:
    """Three calls by an entry of Celery's: one is published, one refused by the broker, one still to come."""
    core, calls = tickerq.core, {}
    tickerq.app.conf.beat_schedule = {"hourly": {"task": "shop.refresh", "schedule": HOUR}}
    beat = TickerScheduler(tickerq.app)
    beat.tick()
    beat.close()
    for name in ("published", "refused", "to come"):
        clock.advance(hours=1)
        fire_crons(tickerq)
        (newest,) = tickerq.runs.find(limit=1)
        calls[name] = newest.id
        if name == "published":
            core.write(nodes.remove, core.node.id)
            dispatch_due(tickerq)
        elif name == "refused":
            (claimed,) = claim(core, [newest.id])
            core.write(publications.fail, claimed, failure())
    return calls


def test_published_celery_tasks_are_found_and_counted_apart(tickerq: TickerQ, clock: ManualClock) -> None:
    done, idle = (
        tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=at)).id for at in (None, DISTANT)
    )
    reach(tickerq, done, Status.DONE)
    runs = {"done": done, "idle": idle, **calls_of_a_celery_task(tickerq, clock)}
    assert found(tickerq, runs, outcome_known=False) == ["published"]
    assert found(tickerq, runs, outcome_known=True) == ["to come", "refused", "idle", "done"]
    for succeeded in (Status.DONE, [Status.DONE, Status.DUE_DONE]):
        assert found(tickerq, runs, status=succeeded) == ["done"]
        assert found(tickerq, runs, status=succeeded, outcome_known=True) == ["done"]
        assert found(tickerq, runs, status=succeeded, outcome_known=False) == ["published"]
    others = {"published", "refused", "to come", "idle"}
    assert set(found(tickerq, runs, exclude={"status": Status.DONE})) == others
    assert {run.id: run.outcome_known for run in tickerq.runs.find()} == {
        run_id: name != "published" for name, run_id in runs.items()
    }


def meets(run: Run, criteria: dict[str, Any]) -> bool:
    """Return True if a run is what filters of statuses ask for, by what it says of itself."""
    named = criteria.get("status")
    asks = criteria.get("outcome_known") is False or criteria.get("is_published") is True
    return (
        (named is None or (run.status in named and (run.outcome_known or asks)))
        and criteria.get("outcome_known") in (None, run.outcome_known)
        and criteria.get("is_published") in (None, run.is_published)
    )


@pytest.mark.every_database
def test_filters_of_statuses_say_of_each_run_what_it_says_of_itself(tickerq: TickerQ) -> None:
    for kind, status, started_at, published_at in product(
        ("function", "celery_task"), Status, (None, START), (None, START)
    ):
        run = tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=DISTANT))
        ended = {"ended_status": status, "ended_at": START} if status in TERMINAL else {}
        waits = status is Status.IDLE
        change_row(
            tickerq, run.id, kind=kind, status=status, due_at=DISTANT if waits else None,
            check_at=DISTANT if status is Status.QUEUED else None, started_at=started_at,
            running_on=run.id if status is Status.IN_PROGRESS else None, published_at=published_at, **ended,
        )  # fmt: skip
    runs = tickerq.runs.find(limit=100)
    named = [
        None,
        *([each] for each in Status),
        [Status.FAILED, Status.DONE],
        [Status.QUEUED, Status.DUE_DONE],
    ]
    for statuses, known, published in product(named, (None, True, False), (None, True, False)):
        values = {"status": statuses, "outcome_known": known, "is_published": published}
        asked = {name: value for name, value in values.items() if value is not None}
        wanted = {run.id for run in runs if meets(run, asked)}
        assert {run.id for run in tickerq.runs.find(limit=100, **asked)} == wanted, asked
        assert tickerq.runs.count(**asked) == len(wanted), asked
        listed = {run.id for run in tickerq.runs.history(limit=100, **asked)}
        assert listed == {run.id for run in runs if run.id in wanted and run.status in TERMINAL}, asked


def test_what_is_shown_as_published_is_found_whether_it_has_ended_or_waits_for_a_report(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    at_the_broker = {"status": Status.QUEUED, "due_at": None, "check_at": DISTANT}
    columns = {
        "function's": {**at_the_broker, "published_at": START},
        "claimed": {**at_the_broker, "kind": "celery_task"},
        "waiting": {**at_the_broker, "kind": "celery_task", "published_at": START},
        "retried": {**at_the_broker, "kind": "celery_task", "published_at": START, "started_at": START},
        "running": {"status": Status.IN_PROGRESS, "kind": "celery_task", "due_at": None, "started_at": START},
    }
    runs = {}
    for name, values in columns.items():
        run = tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=DISTANT))
        change_row(tickerq, run.id, **values)
        runs[name] = run.id
    runs |= calls_of_a_celery_task(tickerq, clock)
    published = ["published", "retried", "waiting"]
    assert found(tickerq, runs, is_published=True) == published
    others = ["to come", "refused", "running", "claimed", "function's"]
    assert found(tickerq, runs, is_published=False) == others
    assert found(tickerq, runs, is_published=False, status=Status.QUEUED) == ["claimed", "function's"]
    assert {run.id for run in tickerq.runs.find() if run.is_published} == {runs[name] for name in published}


def test_a_run_is_found_by_its_parent_and_by_its_cron_ticker(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    assert found(tickerq, runs, parent_id=str(runs["idle"])) == ["held"]
    assert found(tickerq, runs, cron_ticker_id=runs["cron"]) == ["occurrence"]
    occurrences = tickerq.cron_tickers.occurrences
    assert [run.id for run in occurrences(runs["cron"], function="Count")] == [runs["occurrence"]]
    assert not occurrences(runs["cron"], status=Status.FAILED)


def test_pages_follow_each_other_within_a_filter(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    first = tickerq.time_tickers.find(function="Send", limit=2)
    rest = tickerq.time_tickers.find(function="Send", limit=2, cursor=first.next_cursor)
    assert [run.id for run in (*first, *rest)] == [runs[name] for name in ("failed", "held", "idle")]
    assert rest.next_cursor is None


def test_a_count_goes_no_further_than_its_limit(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    assert tickerq.runs.count(limit=3) == 3
    assert tickerq.time_tickers.count() == 4
    with pytest.raises(TickerValidationError, match="limit"):
        tickerq.runs.count(limit=10_001)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "filters",
    [
        {"status": "Dun"}, {"status": [99]}, {"status": True}, {"type": TickerStatus.QUEUED},
        {"held_for": "nothing"}, {"type": 7}, {"error": ""},
        {"error": "x" * 201}, {"error": "\x00"}, {"parent_id": "no"}, {"cron_ticker_id": 7},
        {"execution_from": START.replace(tzinfo=None)}, {"ended_until": "today"}, {"colour": "red"},
        {"outcome_known": "no"}, {"is_published": "no"},
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused_by_its_name(
    tickerq: TickerQ, filters: dict[str, Any]
) -> None:
    (name,) = filters
    with pytest.raises(TickerValidationError, match=f"^{name}: "):
        tickerq.runs.find(**filters)


@pytest.mark.every_database
def test_runs_are_found_by_the_beginning_of_their_ids(tickerq: TickerQ, runs: dict[str, UUID]) -> None:
    wanted = runs["failed"]
    every = {each.id for each in tickerq.runs.find()}
    for digits in (8, 13, 32):
        begins = wanted.hex[:digits]
        alike = sorted(each for each in every if each.hex.startswith(begins))
        assert [each.id for each in tickerq.runs.by_id_prefix(begins)] == alike
        assert wanted in alike
    assert [each.id for each in tickerq.runs.by_id_prefix(str(wanted).upper())] == [wanted]
    assert len(tickerq.runs.by_id_prefix(wanted.hex[:8], limit=1)) == 1
    assert tickerq.runs.by_id_prefix("f" * 8) == ()


@pytest.mark.parametrize("prefix", ["0192f0c", "0192f0cg", "", "0" * 33, 12345678, None])
def test_what_begins_no_id_is_refused(tickerq: TickerQ, prefix: Any) -> None:
    with pytest.raises(TickerValidationError, match="first 8 digits"):
        tickerq.runs.by_id_prefix(prefix)
