"""``update``: which fields it changes, which it leaves, and what it refuses."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from tickerq_celery import CronTicker, OverlapPolicy, TickerPriority, TimeTicker

pytestmark = pytest.mark.usefixtures("fleet")


@pytest.fixture
def waiting(app) -> str:
    given = TimeTicker("Send", delay=7_200, queue="mail", retries=1, tags=["a"], unique_key="one")
    return str(app().time_tickers.add(given).id)


@pytest.fixture
def cron(app) -> str:
    given = CronTicker("Send", expression="0 9 * * *", queue="mail", exclude=[date(2099, 12, 24)])
    return str(app().cron_tickers.add(given).id)


def test_a_run_that_waits_gets_the_fields_that_are_given_and_keeps_the_others(run, app, waiting):
    result = run(
        "update", waiting, "--retries", "3", "--retry-interval", "5s", "--priority", "high", "--at",
        "2099-01-01", "--tag", "b", "--as", "ann", "--reason", "too few",
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, f"{waiting}  Idle\n")
    found = app().runs.get(waiting)
    assert (found.retries, found.retry_intervals) == (3, (timedelta(seconds=5),))
    assert (found.priority, found.tags) == (TickerPriority.HIGH, ("b",))
    assert (found.queue, found.unique_key) == ("mail", "one")
    assert found.execution_time == datetime(2099, 1, 1, tzinfo=UTC)
    [entry] = app().audit.find(action="time_tickers.update")
    assert (entry.actor, entry.reason) == ("ann", "too few")


def test_a_cron_ticker_gets_the_fields_that_are_given(run, app, cron):
    result = run(
        "update", cron, "--cron", "0 0 13 * 5", "--time-zone", "Europe/Berlin", "--day-or",
        "--overlap", "skip",
        "--jitter", "10s", "--misfire", "run_all", "--misfire-limit", "7", "--misfire-grace", "1h",
        "--pause-on-failure", "3", "--not-enabled", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = app().cron_tickers.get(cron)
    assert (found.expression, found.time_zone, found.day_or) == ("0 0 13 * 5", "Europe/Berlin", True)
    assert (found.overlap, found.jitter) == (OverlapPolicy.SKIP, timedelta(seconds=10))
    assert (found.misfire.value, found.misfire_limit) == ("run_all", 7)
    assert (found.misfire_grace, found.pause_on_failure) == (timedelta(hours=1), 3)
    assert (found.is_enabled, found.exclude) == (False, (date(2099, 12, 24),))
    assert json.loads(result.stdout)["version"] == found.version


def test_what_is_unset_is_as_if_it_had_never_been_given(run, app, waiting, cron):
    assert run("update", waiting, "--unset", "queue", "--unset", "tag", "--unset", "at").exit_code == 0
    found = app().runs.get(waiting)
    assert (found.queue, found.tags, found.retries) == (None, (), 1)
    assert found.execution_time is not None
    assert found.execution_time < datetime.now(UTC) + timedelta(minutes=1)
    assert run("update", cron, "--unset", "exclude", "--unset", "queue").exit_code == 0
    found = app().cron_tickers.get(cron)
    assert (found.exclude, found.queue, found.expression) == ((), None, "0 9 * * *")


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        ([], 2, "pass what is to be changed, such as --retries 3"),
        (["--time-zone", "UTC"], 2, "--time-zone is no field of a time ticker"),
        (["--retries", "many"], 2, "'many' is not a valid integer"),
        (["--unset", "unique-key"], 2, "'unique-key' is not one of"),
        (["--children", "[]"], 1, "children"),
        (["--retries", "3", "--expected", "1.0.0"], 1, "has changed since it was read"),
        (["--function", "Sned"], 1, "did you mean Send?"),
    ],
)
def test_update_refuses_what_means_nothing_and_changes_nothing(run, app, waiting, arguments, code, complaint):
    before = app().runs.get(waiting).version
    result = run("update", waiting, *arguments)
    assert result.exit_code == code, result.output
    assert complaint in " ".join(result.output.split())
    assert app().runs.get(waiting).version == before
