"""The commands that change runs, by their ids: what each changed, what it said, and what the audit has."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from tests.inner import new_id
from tests.integration.apps import change_row
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.errors import StoreError
from tickerq_celery.managers.runs.runs import RunManager
from tickerq_celery.views import Run

pytestmark = pytest.mark.usefixtures("fleet")

EARLIER, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def make(app: Callable[[], TickerQ]) -> Callable[..., UUID]:
    """Store a run that waits, or is in another status."""

    def made(status: TickerStatus | None = None, **fields: Any) -> UUID:
        run = app().time_tickers.add(TimeTicker(function="Send", execution_time=LATER, **fields))
        if status is not None:
            ended = {"ended_status": status, "ended_at": EARLIER, "due_at": None}
            change_row(app(), run.id, status=status, **ended)
        return run.id

    return made


@pytest.fixture
def left_by_dead_node(app: Callable[[], TickerQ], make: Callable[..., UUID]) -> Callable[[], UUID]:
    """Store a run that a node has begun which is there no more."""

    def made() -> UUID:
        run_id = make()
        begun = {"status": TickerStatus.IN_PROGRESS, "due_at": None, "claim_no": 1, "started_at": EARLIER}
        change_row(app(), run_id, lock_holder="gone", locked_at=EARLIER, running_on=new_id(), **begun)
        return run_id

    return made


def status_of(tickerq: TickerQ, run_id: UUID) -> TickerStatus:
    return tickerq.runs.get(run_id).status


def audited(tickerq: TickerQ) -> list[tuple[str, str, str | None]]:
    """Return who did what for which reason, the latest first."""
    found = [(entry.actor, entry.action, entry.reason) for entry in tickerq.audit.find()]
    return [each for each in found if each[1] != "cli.migrate"]


VERBS: Sequence[tuple[list[str], TickerStatus | None, TickerStatus, str]] = [
    (["cancel"], None, TickerStatus.CANCELLED, "runs.cancel"),
    (["retry"], TickerStatus.FAILED, TickerStatus.QUEUED, "runs.retry"),
]


@pytest.mark.parametrize(("arguments", "before", "after", "action"), VERBS, ids=str)
def test_a_verb_changes_runs_in_the_name_of_an_actor(run, app, make, arguments, before, after, action):
    ids = [make(before), make(before)]
    result = run(*arguments, *map(str, ids), "--as", "ann", "--reason", "incident 7")
    assert result.exit_code == 0, result.output
    assert [status_of(app(), each) for each in ids] == [after, after]
    assert audited(app()) == [("ann", action, "incident 7")] * 2
    assert [line.split()[0] for line in result.output.splitlines()] == ["ID", *map(str, ids)]


def test_a_verb_tries_each_id_lists_refusals_with_their_state_and_exits_with_1(run, app, make):
    done, failed, absent = make(TickerStatus.DONE), make(TickerStatus.FAILED), new_id()
    result = run("retry", *map(str, (done, failed, absent)), "--as", "ann", "--json")
    assert result.exit_code == 1
    first, second, third = json.loads(result.stdout)["items"]
    assert (first["error"], first["status"], first["done"]) == ("TickerStateError", "done", None)
    assert first["message"].startswith(f"ticker {done} is Done: it cannot be retried; ")
    assert (second["error"], second["status"], second["done"]) == (None, "queued", "retried")
    assert second["version"] == app().runs.get(failed).version
    assert (third["error"], third["status"]) == ("TickerNotFoundError", None)
    assert third["message"] == f"no run has the id {absent}"
    assert sorted(entry.outcome.value for entry in app().audit.find(actor="ann")) == ["done", "refused"]


def test_one_of_several_ids_that_is_none_does_not_keep_it_from_the_others(run, app, make):
    first, second = make(), make()
    result = run("cancel", str(first), "Send", "01a21cfc", str(second), "--json")
    assert result.exit_code == 1
    items = json.loads(result.stdout)["items"]
    assert [item["done"] for item in items] == ["cancelled", None, None, "cancelled"]
    assert (items[1]["id"], items[1]["message"]) == (
        "Send",
        "'Send' is a function: `tickerq cancel --function Send`",
    )
    assert items[2]["message"] == "'01a21cfc' is no id: an id has 36 characters"
    assert {status_of(app(), each) for each in (first, second)} == {TickerStatus.CANCELLED}


def test_a_retry_of_what_has_succeeded_names_clone(run, make):
    done = make(TickerStatus.DONE)
    assert f"cannot be retried; `tickerq clone {done}` runs it again" in run("retry", str(done)).stdout


def test_an_id_that_is_there_twice_is_meant_once(run, app, make):
    run_id = str(make(TickerStatus.FAILED))
    result = run("retry", run_id, run_id)
    assert (result.exit_code, result.output.count(run_id)) == (0, 1)


def test_a_cron_tickers_id_is_refused_with_what_it_is(run, app):
    cron_id = run("add", "Send", "--cron", "0 9 * * *").output.strip()
    result = run("delete", cron_id, "--yes")
    assert result.exit_code == 1
    assert (
        f"no run has the id {cron_id}: it is a cron ticker's, see pause, run and delete-cron" in result.output
    )
    assert app().cron_tickers.get(cron_id).is_enabled


@pytest.mark.parametrize("arguments", [["clone"], ["cancel", "--chain"]])
def test_so_is_it_where_one_run_is_meant(run, app, arguments):
    cron_id = run("add", "Send", "--cron", "0 9 * * *").output.strip()
    result = run(*arguments, cron_id)
    assert result.exit_code == 1
    assert f"the id {cron_id}: it is a cron ticker's, see pause, run and delete-cron" in result.output


def test_a_run_that_has_begun_is_asked_to_end(run, app, left_by_dead_node):
    run_id = left_by_dead_node()
    result = run("cancel", str(run_id), "--json")
    [item] = json.loads(result.stdout)["items"]
    assert (item["done"], item["status"]) == ("asked to end", "in_progress")
    assert app().runs.get(run_id).cancel_requested


def test_expected_refuses_a_run_that_has_changed_since(run, app, make):
    run_id = make()
    seen = app().runs.get(run_id).version
    change_row(app(), run_id, description="another", updated_at=LATER)
    result = run("cancel", str(run_id), "--expected", seen)
    assert result.exit_code == 1
    assert "has changed since it was read: look at it again; it is Idle" in result.output
    assert status_of(app(), run_id) is TickerStatus.IDLE
    now = app().runs.get(run_id).version
    assert run("cancel", str(run_id), "--expected", now).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["cancel"], "pass ids, or --chain alone, or filters, or --everything"),
        (["cancel", "ID", "--function", "Send"], "pass ids, or --chain alone, or filters, or --everything"),
        (["retry", "--chain", "ID", "--function", "Send"], "pass ids, or --chain alone, or filters"),
        (["retry", "ID", "ID2", "--expected", "x"], "--expected is of one id"),
        (["release", "ID", "ID2", "--expected", "x"], "--expected is of one id"),
        (["retry", "ID", "--no-wait"], "--count-only and --no-wait are of filters: all else is done at once"),
        (["delete", "ID"], "There is no terminal to ask on: add --yes"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_done(run, app, make, arguments, complaint):
    ids = {"ID": str(make(TickerStatus.FAILED)), "ID2": str(make(TickerStatus.FAILED))}
    result = run(*(ids.get(each, each) for each in arguments))
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert [status_of(app(), UUID(each)) for each in ids.values()] == [TickerStatus.FAILED] * 2
    assert audited(app()) == []


@pytest.mark.parametrize("answer", ["y", "n"])
def test_delete_asks_on_a_terminal_and_a_no_changes_nothing(run, app, make, monkeypatch, answer):
    monkeypatch.setattr("tickerq_celery.cli.asking._is_terminal", lambda: True)
    run_id = make(TickerStatus.DONE)
    result = run("delete", str(run_id), stdin=f"{answer}\n")
    assert (
        f"delete run {run_id}, with its attempts and log, and all below it in a chain? [y/N]" in result.stderr
    )
    is_deleted = answer == "y"
    assert result.exit_code == (0 if is_deleted else 1)
    assert [each.id for each in app().runs.find()] == ([] if is_deleted else [run_id])


def test_the_store_failing_shows_what_was_done_before_it(run, app, make, monkeypatch):
    first, second = make(TickerStatus.FAILED), make(TickerStatus.FAILED)
    real = RunManager.retry

    def fails_for_the_second(self: RunManager, run_id: UUID, **keywords: Any) -> Run:
        if run_id == second:
            raise StoreError("gone")
        return real(self, run_id, **keywords)

    monkeypatch.setattr(RunManager, "retry", fails_for_the_second)
    result = run("retry", str(first), str(second), "--json")
    assert result.exit_code == 1
    assert [each["id"] for each in json.loads(result.stdout)["items"]] == [str(first)]
    assert json.loads(result.stderr)["error"] == "StoreError"
