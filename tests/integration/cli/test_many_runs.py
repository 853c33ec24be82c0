"""``cancel``, ``retry`` and ``delete`` by filters: counted, asked for, done by beat, watched; and chains."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.integration.apps import change_row, join
from tests.integration.bulk_jobs import runner
from tests.statements import nodes
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.cli.changing import many_runs
from tickerq_celery.enums import BulkState, NodeKind
from tickerq_celery.errors import QueryTooWideError
from tickerq_celery.managers.bulk import BulkManager

pytestmark = pytest.mark.usefixtures("migrated")

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def beat(migrated, app, monkeypatch) -> None:
    """A live beat, which does a step of its bulk jobs whenever the command waits."""
    join(app(), NodeKind.BEAT)
    monkeypatch.setattr(many_runs, "_wait", lambda: runner(app().core).step())


@pytest.fixture
def make(app: Callable[[], TickerQ]) -> Callable[[TickerStatus | None], UUID]:
    """Store a run that waits, or has ended just now."""

    def made(status: TickerStatus | None = None, function: str = "Send") -> UUID:
        ticker = TimeTicker(function=function, execution_time=LATER)
        run = app().time_tickers.add(ticker, allow_unknown=True)
        if status is not None:
            ended = {"ended_status": status, "ended_at": datetime.now(UTC), "due_at": None, "claim_no": 1}
            change_row(app(), run.id, status=status, **ended)
        return run.id

    return made


def statuses(tickerq: TickerQ) -> list[str]:
    return sorted(str(each.status) for each in tickerq.runs.find())


@pytest.mark.usefixtures("beat")
@pytest.mark.parametrize(
    ("arguments", "action", "after"),
    [
        (
            ["retry", "--status", "failed", "--since", "2h"],
            "retry",
            ["Done", "Idle", "Idle", "Idle"],
        ),
        (["cancel", "--function", "Send"], "cancel", ["Cancelled", "Done", "Failed", "Failed"]),
        (
            ["cancel", "--everything", "--terminate"],
            "terminate",
            ["Cancelled", "Done", "Failed", "Failed"],
        ),
        (["delete", "--until", "+1h"], "delete", ["Idle"]),
    ],
    ids=["retry", "cancel", "terminate", "delete"],
)
def test_beat_does_it_to_all_that_meet_the_filters(run, app, make, arguments, action, after):
    for status in (None, TickerStatus.DONE, TickerStatus.FAILED, TickerStatus.FAILED):
        make(status)
    result = run(*arguments, "--yes", "--as", "ann", "--reason", "incident 7", "--json")
    assert result.exit_code == 0, result.output
    job = json.loads(result.stdout)
    assert (job["action"], job["state"], job["actor"], job["reason"]) == (
        action, "done", "ann", "incident 7",
    )  # fmt: skip
    assert statuses(app()) == after
    actions = [(entry.actor, entry.action) for entry in app().audit.find()]
    assert actions[:2] == [("ann", "bulk.end"), ("ann", "bulk.start")]
    end, start = run("audit", "--actor", "ann").stdout.splitlines()[1:]
    assert f"bulk_job {job['id']}: {action} {job['what']}, {job['changed']} changed, done" in end
    assert f"bulk_job {job['id']}: {action} {job['what']}  " in start


@pytest.mark.usefixtures("beat")
def test_a_person_reads_how_many_were_changed_and_why_some_were_not(run, make, app, monkeypatch):
    make(TickerStatus.FAILED)
    taken = make(TickerStatus.FAILED)
    change_row(app(), taken, unique_key="one")
    app().time_tickers.add(TimeTicker(function="Send", execution_time=LATER, unique_key="one"))
    lines = run("retry", "--status", "failed", "--yes").output.splitlines()
    facts = dict(line.split(maxsplit=1) for line in lines if "  " in line)
    assert (facts["State"], facts["Changed"], facts["Skipped"]) == ("done", "1", "1")
    assert lines[-2:] == ["skipped 1: another ticker has taken its unique key", f"    such as {taken}"]


@pytest.mark.usefixtures("beat")
def test_count_only_says_how_many_and_changes_nothing(run, app, make):
    for _ in range(2):
        make(TickerStatus.FAILED)
    assert run("retry", "--function", "Send", "--count-only").output == "2 runs\n"
    counted = json.loads(run("delete", "--status", "failed", "--count-only", "--json").stdout)
    assert (counted["action"], counted["count"], counted["or_more"]) == ("delete", 2, False)
    assert run("cancel", "--function", "Send", "--yes").output == "no run to cancel meets the filters\n"
    assert statuses(app()) == ["Failed", "Failed"]
    assert list(app().bulk.find()) == []


@pytest.mark.usefixtures("beat")
@pytest.mark.parametrize(("answer", "after"), [("y", "Idle"), ("n", "Failed")])
def test_it_says_how_many_are_meant_before_it_asks(run, app, make, monkeypatch, answer, after):
    monkeypatch.setattr("tickerq_celery.cli.asking._is_terminal", lambda: True)
    make(TickerStatus.FAILED)
    result = run("retry", "--function", "Send", stdin=f"{answer}\n")
    assert "retry 1 run? [y/N]" in result.stderr
    assert statuses(app()) == [after]


@pytest.mark.usefixtures("beat")
def test_what_was_counted_is_meant_and_nothing_that_fails_while_it_asks(run, app, make, monkeypatch):
    make(TickerStatus.FAILED)

    def answer(question: str, *, is_sure: bool) -> None:
        make(TickerStatus.FAILED)

    monkeypatch.setattr(many_runs, "confirm", answer)
    assert run("retry", "--status", "failed").exit_code == 0
    assert statuses(app()) == ["Failed", "Idle"]


def test_without_a_beat_it_is_refused_unless_the_job_is_to_wait_for_one(run, app, make):
    make(TickerStatus.FAILED)
    join(app(), NodeKind.BEAT, namespace="another")
    result = run("retry", "--status", "failed", "--yes")
    assert result.exit_code == 1
    assert "no beat is alive, and beat is what would retry 1 run: start one" in result.output
    assert list(app().bulk.find()) == []
    job = json.loads(run("retry", "--status", "failed", "--yes", "--no-wait", "--json").stdout)
    assert job["state"] == "waiting"
    assert [str(each.id) for each in app().bulk.find()] == [job["id"]]


def test_a_beat_that_dies_is_said_and_its_job_can_be_looked_at(run, app, make, monkeypatch):
    make(TickerStatus.FAILED)
    join(app(), NodeKind.BEAT)

    def die() -> None:
        core = app().core
        for each in core.read(nodes.list_nodes):
            core.write(nodes.remove, each.id)

    monkeypatch.setattr(many_runs, "_wait", die)
    result = run("retry", "--status", "failed", "--yes")
    assert result.exit_code == 1
    [job] = app().bulk.find()
    assert f"no beat is alive any more: job {job.id} goes on when one is" in result.output


@pytest.mark.usefixtures("beat")
def test_ctrl_c_leaves_the_job_to_beat_and_says_how_to_stop_it(run, app, make, monkeypatch):
    make(TickerStatus.FAILED)

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(many_runs, "_wait", interrupt)
    result = run("retry", "--status", "failed", "--yes")
    [job] = app().bulk.find()
    assert result.exit_code == 130
    assert f"job {job.id} goes on: `bulk stop {job.id}` ends it" in result.stderr


@pytest.mark.usefixtures("beat")
def test_filters_too_wide_to_count_are_no_reason_to_refuse(run, app, make, monkeypatch):
    make(TickerStatus.FAILED)

    def too_wide(*_: object, **__: object) -> int:
        raise QueryTooWideError(2)

    monkeypatch.setattr(BulkManager, "count", too_wide)
    refused = run("retry", "--status", "failed")
    assert "retry more runs than can be counted in time?" in refused.output
    assert run("retry", "--status", "failed", "--yes").exit_code == 0
    assert statuses(app()) == ["Idle"]


@pytest.mark.usefixtures("beat")
@pytest.mark.usefixtures("beat")
@pytest.mark.parametrize("verb", ["cancel", "retry", "delete"])
def test_a_mistyped_function_is_no_success_and_is_guessed(run, make, verb):
    make()
    result = run(verb, "--function", "Sned", "--yes")
    assert (result.exit_code, result.stdout) == (1, "")
    said = f"no run to {verb} meets the filters: no function or task is named Sned: did you mean Send?"
    assert result.stderr == f"Error: {said}\n"
    as_json = run(verb, "--function", "Sned", "--yes", "--json")
    assert (as_json.exit_code, as_json.stdout) == (1, "")
    assert json.loads(as_json.stderr)["message"] == said


@pytest.mark.usefixtures("beat")
def test_an_unknown_functions_runs_can_be_cancelled(run, app, make):
    make(function="Gone")
    assert run("cancel", "--function", "Gone", "--yes").exit_code == 0
    assert statuses(app()) == ["Cancelled"]


def test_bulk_lists_shows_and_stops_jobs(run, app, make, monkeypatch):
    make(TickerStatus.FAILED)
    job_id = json.loads(run("retry", "--everything", "--yes", "--no-wait", "--json").stdout)["id"]
    assert job_id in run("bulk", "list", "--state", "waiting", "--action", "retry").output
    assert json.loads(run("bulk", "show", job_id, "--json").stdout)["state"] == "waiting"
    result = run("bulk", "stop", job_id, "--as", "ann", "--reason", "wrong filter")
    assert result.exit_code == 0
    assert app().bulk.get(job_id).state is BulkState.STOPPED
    [entry] = app().audit.find(action="bulk.stop")[:1]
    assert (entry.actor, entry.reason) == ("ann", "wrong filter")
    again = run("bulk", "stop", job_id)
    assert (again.exit_code, f"bulk job {job_id} is stopped: it cannot be stopped" in again.output) == (
        1,
        True,
    )
    monkeypatch.setattr(many_runs, "_wait", lambda: app().bulk.stop(app().bulk.find()[0].id))
    assert run("retry", "--everything", "--yes").exit_code == 1


def test_a_chains_failures_are_retried_and_its_rest_is_cancelled(run, app):
    chain = TimeTicker(function="Send", execution_time=LATER, children=[TimeTicker(function="Send")])
    head = app().time_tickers.add(chain).id
    refused = run("retry", "--chain", str(head))
    assert (refused.exit_code, "in a chain without a failure" in refused.output) == (1, True)
    version = app().chains.tree(head).version
    result = run("cancel", "--chain", str(head), "--expected", version, "--as", "ann", "--json")
    assert len(json.loads(result.stdout)["ids"]) == 2
    assert statuses(app()) == ["Cancelled", "Cancelled"]
    change_row(app(), head, status=TickerStatus.FAILED, ended_status=TickerStatus.FAILED)
    result = run("retry", "--chain", str(head), "--as", "bob", "--reason", "mended")
    assert result.exit_code == 0
    assert str(head) in result.output
    assert [(each.actor, each.action) for each in app().audit.find()][:2] == [
        ("bob", "chains.retry_failed"),
        ("ann", "chains.cancel_rest"),
    ]
