"""``add``, ``run`` and ``clone``: what each stored, in whose name, and what it refuses."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from tests.inner import make_function
from tests.statements import functions
from tickerq_celery import TickerPriority, TickerStatus, TimeTicker
from tickerq_celery.enums import OnLost, OverlapPolicy, RunCondition, TickerKind
from tickerq_celery.functions.records import function_records

pytestmark = pytest.mark.usefixtures("fleet")

GREET = """
@tickerq.function("Greet")
def greet(name: str, times: int = 1):
    pass

@app.task(name="shop.add", shared=False)
def add(x, y=0):
    pass
"""


@pytest.fixture(autouse=True)
def greet(run, configure) -> None:
    """A function with plain parameters, and a Celery task; before workers join, so that they have them."""
    configure(GREET)


def added(run, *arguments: str, stdin: str | None = None) -> str:
    """Return the id that ``add`` printed, and nothing else."""
    result = run("add", *arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["name=Ann", "times=2"], None),
        (["--request", '{"name": "Ann", "times": 2}'], None),
        (["--request", "@request.json"], None),
        (["--request", "-"], '{"name": "Ann", "times": 2}'),
    ],
    ids=["pairs", "json", "file", "stdin"],
)
def test_add_takes_a_request_in_four_ways_and_its_run_is_due_at_once(run, app, arguments, stdin):
    Path("request.json").write_text('{"name": "Ann", "times": 2}')
    run_id = added(run, "Greet", *arguments, "--as", "ann", stdin=stdin)
    found = app().runs.get(run_id)
    assert (found.request, found.created_by) == ({"name": "Ann", "times": 2}, "ann")
    assert (found.status, found.published_at is not None) == (TickerStatus.QUEUED, True)
    [entry] = app().audit.find(action="time_tickers.add")
    assert (entry.actor, [str(each) for each in entry.ids]) == ("ann", [run_id])


@pytest.mark.parametrize(
    ("pair", "value"), [("name=3a", "3a"), ('name="3"', "3"), ("name=a=b", "a=b"), ("name=", "")]
)
def test_a_pairs_value_is_text_where_it_does_not_read_as_json(run, app, pair, value):
    assert app().runs.get(added(run, "Greet", pair)).request == {"name": value}


def test_add_stores_every_field_that_its_options_name(run, app):
    run_id = added(
        run, "Send", "--in", "2h", "--queue", "mail", "--priority", "high", "--retries", "2",
        "--retry-interval", "5s", "--retry-interval", "1m", "--tag", "a", "--tag", "b", "--timeout", "30",
        "--hard-timeout", "1m", "--unique-key", "one", "--concurrency-key", "ann", "--description", "again",
    )  # fmt: skip
    found = app().runs.get(run_id)
    assert found.execution_time is not None
    assert timedelta(minutes=119) < found.execution_time - datetime.now(UTC) < timedelta(hours=2)
    assert (found.queue, found.priority, found.tags) == ("mail", TickerPriority.HIGH, ("a", "b"))
    assert (found.retries, found.retry_intervals) == (2, (timedelta(seconds=5), timedelta(minutes=1)))
    assert (found.timeout, found.unique_key) == (timedelta(seconds=30), "one")
    assert found.hard_timeout == timedelta(minutes=1)
    assert (found.concurrency_key, found.description) == ("ann", "again")


def test_a_unique_key_that_is_active_is_refused_or_its_run_is_returned(run):
    first = added(run, "Send", "--in", "2h", "--unique-key", "one")
    again = run("add", "Send", "--unique-key", "one")
    assert (again.exit_code, "a ticker with key 'one' is still active" in again.output) == (1, True)
    assert added(run, "Send", "--unique-key", "one", "--on-conflict", "return_existing") == first


def test_json_is_the_run_with_its_version(run, app):
    shown = json.loads(run("add", "Send", "--at", "2100-01-01", "--json").stdout)
    found = app().runs.get(shown["id"])
    assert (shown["version"], shown["execution_time"]) == (found.version, "2100-01-01T00:00:00+00:00")


def test_add_schedules_a_celery_task_by_its_name(run, app):
    options = ["--options", '{"ignore_result": true}', "--on-lost", "retry"]
    run_id = added(run, "--task", "shop.add", "--args", "[2]", "y=3", "--in", "1h", *options)
    found = app().runs.get(run_id)
    assert (found.request["options"], found.on_lost) == ({"ignore_result": True}, OnLost.RETRY)
    assert (found.kind, found.function) == (TickerKind.CELERY_TASK, "shop.add")
    assert (found.request["args"], found.request["kwargs"]) == ([2], {"y": 3})


def test_add_stores_a_cron_ticker(run, app):
    cron_id = added(
        run, "Greet", "name=Ann", "--cron", "0 9 * * 1-5", "--time-zone", "Europe/Berlin",
        "--overlap", "skip", "--misfire", "skip", "--max-runs", "3", "--start", "2099-01-01",
        "--end", "2100-01-01", "--as", "ann",
        "--exclude", "2099-12-24", "--exclude", "2099-12-25", "--jitter", "5s", "--not-enabled", "--day-or",
        "--misfire-limit", "7", "--misfire-grace", "1h", "--pause-on-failure", "3",
    )  # fmt: skip
    found = app().cron_tickers.get(cron_id)
    assert found.exclude == (date(2099, 12, 24), date(2099, 12, 25))
    assert (found.jitter, found.is_enabled, found.day_or) == (timedelta(seconds=5), False, True)
    assert (found.misfire_limit, found.misfire_grace) == (7, timedelta(hours=1))
    assert found.pause_on_failure == 3
    assert (found.expression, found.time_zone, found.max_runs) == ("0 9 * * 1-5", "Europe/Berlin", 3)
    assert (found.overlap, found.misfire.value) == (OverlapPolicy.SKIP, "skip")
    assert (found.start_at, found.end_at) == (
        datetime(2099, 1, 1, tzinfo=UTC),
        datetime(2100, 1, 1, tzinfo=UTC),
    )
    assert found.request == {"name": "Ann"}
    [entry] = app().audit.find(action="cron_tickers.add")
    assert (entry.actor, [str(each) for each in entry.ids]) == ("ann", [cron_id])
    assert app().cron_tickers.get(added(run, "Send", "--every", "90s")).every == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["Sned"], 1, "no such function is registered here or by any worker: did you mean Send?"),
        (["Sned"], 1, "pass --allow-unknown, or name a Celery task by --task"),
        ([], 2, "Missing argument 'FUNCTION', or --task: `tickerq functions` lists functions"),
        (["Greet", "--task", "shop.add"], 2, "pass FUNCTION or --task, not both"),
        (["Send", "--at", "yesterday"], 2, "(UTC where it has no zone), or +2h for two hours from now"),
        (["Greet", "name=Ann", "tmies=2"], 1, "tmies"),
        (["Greet", "Ann"], 1, "pass KEY=VALUE pairs, or --request (got 'Ann')"),
        (["Greet", "name=Ann", "name=Bob"], 1, "name is there twice"),
        (["Greet", "name=Ann", "--request", "{}"], 2, "pass --request or KEY=VALUE pairs, not both"),
        (["Greet", "--request", "{name: Ann}"], 2, "is no JSON"),
        (["Greet", "--request", "@absent.json"], 2, "absent.json"),
        (
            ["--task", "shop.ad"],
            1,
            "task is imported here, nor named by a stored ticker: did you mean shop.add?",
        ),
        (["--task", "shop.ad", "--cron", "0 9 * * *"], 1, "import its module, or pass --allow-unknown"),
        (["--task", "shop.add", "--retries", "3"], 1, "a Celery task's own options rule: max_retries"),
        (["--task", "shop.add", "--args", "{}"], 2, "{} is no JSON list"),
        (["Send", "--time-zone", "UTC"], 2, "--time-zone is of cron tickers: add --cron or --every"),
        (["Send", "--cron", "0 9 * * *", "--unique-key", "one"], 2, "--unique-key is of time tickers"),
        (["Send", "--cron", "every day at nine"], 1, "5 or 6 fields are needed"),
        (["Send", "--at", "2h"], 2, "'2h' is a duration: pass +2h, or a moment"),
        (["Send", "--at", "+2h", "--in", "1h"], 1, "delay"),
        (["Send", "--priority", "hihg"], 2, "did you mean high?"),
        (["Send", "--cron", "0 9 * * *", "--on-conflict", "replace"], 2, "--on-conflict is of time tickers"),
        (["Send", "--every", "1h", "--exclude", "Monday"], 2, "'Monday' is no date"),
        (["Send", "--children", "[3]"], 2, "is no JSON list of objects"),
        (["Send", "--children", '[{"function": "Send", "children": 3}]'], 2, "3 is no JSON list of objects"),
        (["Send", "--children", '[{"fucntion": "Greet"}]'], 1, "did you mean function?"),
        (["Send", "--children", '[{"function": "Greet", "delay": "soon"}]'], 2, "'soon' is no duration"),
    ],
)
def test_add_refuses_what_means_nothing_and_stores_nothing(run, app, arguments, code, complaint):
    tickerq = app()
    result = run("add", *arguments)
    assert result.exit_code == code, result.output
    assert complaint in " ".join(result.output.split())
    assert [*tickerq.runs.find(), *tickerq.cron_tickers.find()] == []


def test_add_stores_a_chain(run, app):
    below = {"function": "Send", "run_condition": "on_failure", "delay": "90s", "timeout": 30}
    child = {"task": "shop.add", "args": [2], "execution_time": "2099-01-01", "children": [below]}
    head, task, last = app().chains.tree(added(run, "Send", "--children", json.dumps([child]))).runs
    assert (head.run.function, task.run.function) == ("Send", "shop.add")
    assert task.run.execution_time == datetime(2099, 1, 1, tzinfo=UTC)
    assert (last.run.parent_id, last.run_condition) == (task.run.id, RunCondition.ON_FAILURE)
    assert app().runs.get(last.run.id).timeout == timedelta(seconds=30)


def test_allow_unknown_takes_a_function_that_nothing_knows(run, app):
    assert app().runs.get(added(run, "Sned", "--allow-unknown", "--in", "1h")).function == "Sned"


def test_add_names_a_module_that_cannot_be_imported(run, configure):
    configure("app.conf.include = ['jbos']")
    result = run("add", "Send")
    assert result.exit_code == 1
    assert "a module that the application includes cannot be imported: ModuleNotFoundError" in result.output


def test_run_starts_a_cron_ticker_once_also_with_another_request(run, app):
    cron_id = added(run, "Greet", "name=Ann", "--cron", "0 9 * * *")
    for arguments, name in (([], "Ann"), (["--request", '{"name": "Bob"}'], "Bob")):
        result = run("run", cron_id, *arguments, "--as", "ann", "--reason", "again", "--json")
        shown = json.loads(result.stdout)
        assert (shown["cron_ticker_id"], shown["request"]["name"]) == (cron_id, name)
        assert shown["created_by"] == "ann"
    entries = app().audit.find(action="cron_tickers.run_now")
    assert [(each.actor, each.reason) for each in entries] == [("ann", "again")] * 2


def test_run_lets_a_time_ticker_start_now_and_says_why_another_cannot(run, app):
    waiting = added(run, "Send", "--in", "2h")
    result = run("run", waiting)
    assert result.output == f"{waiting}  Queued\n"
    again = run("run", waiting)
    assert (again.exit_code, "is Queued: it cannot be run now" in again.output) == (1, True)
    refused = run("run", waiting, "--request", "{}")
    assert (refused.exit_code, "--request is of cron tickers" in refused.output) == (2, True)


def test_run_refuses_an_occurrence_and_names_its_cron_ticker(run):
    cron_id = added(run, "Send", "--cron", "0 9 * * *")
    occurrence = json.loads(run("run", cron_id, "--json").stdout)["id"]
    result = run("run", occurrence)
    assert result.exit_code == 1
    assert f"is an occurrence of cron ticker {cron_id}, and Queued: it cannot be run now" in result.output


def test_clone_schedules_a_run_like_another_one(run, app):
    original = added(run, "Greet", "name=Ann", "--tag", "a", "--in", "2h")
    run("cancel", original)
    result = run("clone", original, "--request", '{"name": "Bob"}', "--in", "1h", "--as", "ann")
    copy = app().runs.get(result.stdout.strip())
    assert (str(copy.cloned_from), copy.tags, copy.created_by) == (original, ("a",), "ann")
    assert (copy.request["name"], copy.status) == ("Bob", TickerStatus.IDLE)


def test_clone_takes_children_along_where_it_is_asked_to(run, app):
    parent = TimeTicker(function="Send", delay=7200, children=[TimeTicker(function="Send")])
    original = str(app().time_tickers.add(parent).id)
    for arguments, count in (([], 1), (["--with-children"], 2)):
        made = run("clone", original, *arguments).stdout.strip()
        assert len(app().chains.tree(made).runs) == count


def test_a_payload_is_checked_by_the_schema_of_workers_where_the_app_lacks_the_function(run, app):
    def pay(customer: int, currency: Literal["EUR", "USD"] = "EUR") -> None: ...

    records = list(function_records([make_function(pay, "Pay")]))
    app().core.write(functions.register, records)
    run_id = added(run, "Pay", "customer=4", "--in", "1h")
    for arguments in (
        ["add", "Pay", "customer=x", "currency=CHF"],
        ["add", "Pay", "customer=x", "currency=CHF", "--every", "1h"],
        ["update", run_id, "--request", '{"customer": "x", "currency": "CHF"}'],
        ["clone", run_id, "--request", '{"customer": "x", "currency": "CHF"}'],
    ):
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert "request.customer: Input should be a valid integer" in result.output
        assert 'request.currency: Input should be "EUR" or "USD"' in result.output
    assert app().runs.get(run_id).request == {"customer": 4}
