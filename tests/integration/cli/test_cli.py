"""The command line, run as an operator runs it."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from celery import Celery
from click.testing import CliRunner

from tests.inner import Claimer, DropReason, celery_command, new_id, tickerq_command
from tests.integration.apps import change_row, join
from tests.integration.pruning import count_ends
from tests.statements import nodes
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.broker.address import broker_address
from tickerq_celery.enums import TERMINAL, NodeKind
from tickerq_celery.worker import drop_counts
from tickerq_celery.worker.drop_counts import DropCounter

EARLIER, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.usefixtures("fleet")
def test_check_says_that_all_is_fine(run, namespace: str, tmp_path: Path):
    result = run("check")
    assert result.exit_code == 0
    *first, beat, worker, backlog = result.output.splitlines()
    assert first == [
        f"ok       settings, namespace {namespace!r}",
        "ok       due runs are published one by one: kombu's transport memory has no batches",
        f"ok       store sqlite:///{tmp_path}/tickers.db",
        "ok       broker memory://",
    ]
    for kind, line in zip(NodeKind, (beat, worker), strict=True):
        assert re.fullmatch(rf"ok       {kind} \S+ is alive, seen [\w ]+ ago", line)
    assert backlog == "ok       no run is active, and none waits"


@pytest.mark.usefixtures("migrated")
def test_check_fails_where_no_beat_or_no_worker_is_alive_unless_it_is_offline(run, app):
    missing = [f"failed   no {kind} is alive: start one, `celery -A yourapp {kind}`" for kind in NodeKind]
    result = run("check")
    assert (result.exit_code, result.output.splitlines()[-3:-1]) == (1, missing)
    join(app(), NodeKind.BEAT)
    result = run("check")
    assert (result.exit_code, result.output.splitlines()[-2]) == (1, missing[1])
    offline = run("check", "--offline")
    assert (offline.exit_code, len(offline.output.splitlines())) == (0, 3)


@pytest.mark.usefixtures("fleet")
def test_check_counts_no_worker_that_shuts_down_and_names_it(run, app):
    core = app().core
    [worker] = [node for node in core.read(nodes.list_nodes) if node.kind is NodeKind.WORKER]
    core.write(nodes.beat, worker.id, is_stopping=True)
    result = run("check")
    assert result.exit_code == 1
    assert "failed   no worker is alive: " in result.output
    assert f"warning  worker {worker.name} shuts down since " in result.output


@pytest.mark.usefixtures("fleet")
def test_check_fails_where_the_broker_does_not_answer_unless_it_is_offline(run, configure):
    configure("app.conf.broker_url = 'redis://ada:secret@127.0.0.1:1/0'")
    result = run("check")
    assert result.exit_code == 1
    assert "failed   broker redis://ada:***@127.0.0.1:1/0 does not answer: " in result.output
    assert "secret" not in result.output
    assert run("check", "--offline").exit_code == 0


@pytest.mark.usefixtures("fleet")
def test_check_says_that_due_runs_are_published_in_batches(run, configure):
    configure("app.conf.broker_url = 'redis://127.0.0.1:1/0'")
    assert "ok       due runs are published in batches" in run("check", "--offline").output


@pytest.mark.usefixtures("fleet")
def test_check_names_a_broker_that_there_is_no_transport_for(run, app, configure):
    join(app(), NodeKind.WORKER, namespace="theirs", queues=["celery"], broker="redis://elsewhere/0")
    configure("app.conf.broker_url = 'nosuch://host/0'")
    for arguments in (("check",), ("check", "--offline")):
        result = run(*arguments)
        assert (type(result.exception), result.exit_code) == (SystemExit, 1)
        assert "failed   broker nosuch://host/0 cannot be used: " in result.output


HALF_A_SECOND = """
@app.task(name="shop.report", shared=False)
def report(): ...

app.conf.beat_schedule = {
    "half": {"task": "shop.report", "schedule": 0.5},
    "nightly": {"task": "shop.report", "schedule": 3600},
}
app.add_periodic_task(60, app.signature("shop.reprot"), name="typo")
"""


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("arguments", [("check",), ("check", "--offline")])
def test_check_fails_for_an_entry_of_beat_schedule_that_beat_would_leave_out(run, configure, arguments):
    configure(HALF_A_SECOND)
    result = run(*arguments)
    assert result.exit_code == 1
    [failed] = [line for line in result.output.splitlines() if line.startswith("failed")]
    assert failed.startswith(
        "failed   entry 'half' of beat_schedule cannot be kept: an interval of 0:00:00.500000"
    )
    assert "beat runs the other entries" in failed
    assert "ok       entries of beat_schedule: nightly and typo" in result.output
    assert (
        "warning  entry 'typo' of beat_schedule calls shop.reprot, which this application has not: "
        "did you mean shop.report?"
    ) in result.output


@pytest.mark.usefixtures("fleet")
def test_check_judges_no_entries_that_another_scheduler_runs(run, configure):
    configure(HALF_A_SECOND)
    configure("app.conf.beat_scheduler = 'celery.beat:Scheduler'")
    assert "beat_schedule" not in run("check", "--offline").output


@pytest.mark.usefixtures("fleet")
def test_check_warns_of_a_worker_and_a_beat_on_another_broker(run, app):
    for kind in NodeKind:
        join(app(), kind, queues=["celery"], broker="redis://elsewhere:6379/0")
    here = broker_address(app().app)
    result = run("check")
    assert result.exit_code == 0
    warnings = [line for line in result.output.splitlines() if line.startswith("warning")]
    assert len(warnings) == 2
    for kind, line in zip(("beat", "worker"), sorted(warnings), strict=True):
        assert line.startswith(f"warning  {kind} ")
        assert f"is on broker redis://elsewhere:6379/0, and this application on {here}: " in line


@pytest.mark.usefixtures("fleet")
def test_check_warns_of_runs_that_no_live_worker_has_the_function_of(run, app):
    tickerq = app()
    for function in ("Report", "Report", "Bill"):
        tickerq.time_tickers.add(TimeTicker(function=function), allow_unknown=True)
    Claimer(tickerq.core).claim(holder="a beat")
    result = run("check")
    assert result.exit_code == 0
    assert [line.partition(", the first since ")[0] for line in result.output.splitlines()[-2:]] == [
        "warning  2 runs of Report wait: no live worker has this function",
        "warning  1 run of Bill waits: no live worker has this function",
    ]


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("arguments", [("check",), ("check", "--offline")])
def test_check_names_a_module_that_cannot_be_imported_and_judges_the_rest(run, configure, arguments):
    configure("app.conf.include = ['jbos']")
    result = run(*arguments)
    assert result.exit_code == 1
    first, *rest = result.output.splitlines()
    assert first == (
        "failed   a module that the application includes cannot be imported: "
        "ModuleNotFoundError: No module named 'jbos'"
    )
    assert [line.split()[1].rstrip(",") for line in rest][:3] == ["settings", "due", "store"]


@pytest.mark.usefixtures("fleet")
def test_check_warns_of_an_application_without_functions_and_tasks(run, configure):
    warning = "warning  the application has neither functions nor tasks: "
    assert warning not in run("check").output
    empty = "app = Celery(app.main, broker='memory://')\ntickerq = TickerQ(app, os.environ['CLI_STORE'])"
    configure(empty)
    result = run("check")
    assert result.exit_code == 0
    assert warning in result.output
    configure(f"{empty}\napp.task(name='shop.add', shared=False)(lambda: None)")
    assert warning not in run("check").output


@pytest.mark.usefixtures("fleet")
def test_check_warns_of_a_queue_without_a_worker_and_fails_once_runs_wait_in_it(run, app, configure):
    configure("app.conf.task_routes = {'tickerq.Send': {'queue': 'slow'}}")
    result = run("check")
    assert result.exit_code == 0
    assert "warning  queue slow: no live worker consumes it, and runs of Send go to it" in result.output
    due = app().time_tickers.add(TimeTicker(function="Send", execution_time=LATER))
    change_row(app(), due.id, due_at=EARLIER)
    result = run("check")
    assert result.exit_code == 1
    assert "failed   queue slow: no live worker consumes it, and 1 run of Send waits in it" in result.output


@pytest.mark.usefixtures("fleet")
def test_check_fails_where_a_router_raises(run, configure):
    configure("def route(*_, **__):\n    raise LookupError('no route')\napp.conf.task_routes = (route,)")
    result = run("check")
    assert result.exit_code == 1
    assert "failed   runs of Send cannot be published: LookupError: no route" in result.output


@pytest.mark.usefixtures("fleet")
def test_check_fails_where_runs_are_overdue(run, app):
    tickerq = app()
    runs = [tickerq.time_tickers.add(TimeTicker(function="Send", execution_time=LATER)) for _ in range(3)]
    for due, waiting in ((runs[0], False), (runs[1], True), (runs[2], True)):
        queued = {"status": TickerStatus.QUEUED, "due_at": None, "check_at": LATER, "locked_at": EARLIER}
        change_row(tickerq, due.id, **(queued if waiting else {"due_at": EARLIER}))
    result = run("check")
    assert result.exit_code == 1
    for line in (
        "failed   1 run is overdue: for more than 30 s due and not published, the first since "
        "2026-01-01 00:00:00Z: ",
        "failed   2 runs are overdue: for more than 5 min published and not started by a worker, "
        "the first since 2026-01-01 00:00:00Z: ",
    ):
        assert line in result.output


@pytest.mark.usefixtures("fleet")
def test_check_warns_of_published_celery_tasks_whose_children_wait_for_a_report(run, app):
    tickerq = app()
    ticker = TimeTicker(function="Send", execution_time=LATER, children=[TimeTicker(function="Send")])
    at_the_broker = {
        "status": TickerStatus.QUEUED,
        "due_at": None,
        "check_at": LATER,
        "published_at": EARLIER,
    }
    change_row(tickerq, tickerq.time_tickers.add(ticker).id, kind="celery_task", **at_the_broker)
    result = run("check")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == (
        "warning  1 run of Celery tasks is published and reported by no worker, the first since "
        "2026-01-01 00:00:00Z: start a worker that has this TickerQ: the children of these runs wait for its "
        "report"
    )


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("configuration", "code", "line"),
    [
        ("app.conf.accept_content = ['yaml']", 1, "failed   accept_content: add 'json'"),
        ("app.conf.task_create_missing_queues = False", 0, "ok       settings"),
        ("app.conf.worker_enable_remote_control = False", 0, "warning  worker_enable_remote_control is off"),
        ("app.conf.task_always_eager = True", 0, "warning  task_always_eager has no effect on tickers"),
    ],
)
def test_check_judges_celerys_settings(run, configure, configuration: str, code: int, line: str):
    configure(configuration)
    for arguments in (("check",), ("check", "--offline")):
        result = run(*arguments)
        assert result.exit_code == code
        assert line in result.output


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("broker", "queue", "code"),
    [("same", "celery", 1), ("same", "mail", 0), ("redis://elsewhere/0", "celery", 0)],
)
def test_check_fails_where_another_namespace_consumes_the_same_queue(
    run, app, broker: str, queue: str, code: int, namespace: str
):
    here = broker_address(app().app) if broker == "same" else broker
    join(app(), NodeKind.WORKER, namespace="theirs", queues=[queue], broker=here)
    result = run("check")
    assert result.exit_code == code
    line = (
        f"failed   queue celery: workers of namespace 'theirs' consume it as well as those of {namespace!r}"
    )
    assert (line in result.output) is bool(code)


@pytest.mark.usefixtures("fleet")
def test_check_shows_what_workers_dropped_lately_and_nothing_where_nothing_was(run, app):
    assert "dropped" not in run("check").output
    tally = DropCounter()
    for reason in (DropReason.INVALID, DropReason.OLD_CLAIM, DropReason.OLD_CLAIM):
        tally.note(reason)
    drop_counts.write(app().core, tally)
    lines = run("check").output.splitlines()
    assert lines[-1] == "ok       messages dropped in the last 24 hours: 2 old_claim, 1 invalid"


@pytest.mark.usefixtures("migrated")
def test_migrate_may_be_repeated(run):
    output = run("migrate").output
    assert "the store is ready" in output
    assert "store_url" not in output


def test_migrate_names_the_file_that_it_makes_where_store_url_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tickerq = TickerQ(Celery("unset", broker="memory://", set_as_current=False))
    result = CliRunner().invoke(celery_command, ["migrate"], obj=tickerq.app)
    tickerq.close()
    assert (result.exit_code, (tmp_path / "tickerq.db").is_file()) == (0, True)
    assert f"store_url is not set, so it is the file {tmp_path}/tickerq.db: for another" in result.output


@pytest.mark.usefixtures("migrated")
def test_seed_stores_what_the_code_defines_and_prune_pauses_what_is_gone(
    run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CLI_CRON", "0 9 * * *")
    assert "seeded 1 cron ticker: Send" in run("seed").output
    assert "paused 0" in run("seed", "--prune").output

    monkeypatch.delenv("CLI_CRON")
    assert "paused 1 that no code defines any more: Send" in run("seed", "--prune").output
    assert "paused 0" in run("seed", "--prune").output


@pytest.mark.usefixtures("migrated")
def test_runs_lists_a_run_of_another_process_under_its_titles(run, namespace: str, tmp_path: Path):
    script = f"import cli_{namespace.replace('-', '_')} as m; print(m.send.schedule(delay=3600).id)"
    added = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    header, line = run("runs").output.splitlines()
    assert header.split() == ["ID", "STATUS", "WHEN", "TOOK", "FUNCTION", "NOTE"]
    assert line.split()[:2] == [added.stdout.strip(), "Idle"]
    assert [line.index("Send"), line.index("Idle")] == [header.index("FUNCTION"), header.index("STATUS")]


@pytest.mark.usefixtures("fleet")
def test_runs_lists_the_next_to_come_first(run, app):
    for days in (2, 3, 1, 4):
        moment = LATER + timedelta(days=days)
        app().time_tickers.add(TimeTicker(function="Send", execution_time=moment))
    result = run("runs", "--limit", "3")
    assert [line.split()[2] for line in result.stdout.splitlines()[1:]] == [
        "2100-01-02",
        "2100-01-03",
        "2100-01-04",
    ]
    assert result.stderr == "there are more: add --upcoming\n"


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("status", "is_started", "shown"),
    [
        (TickerStatus.DONE, False, "Published"),
        (TickerStatus.DONE, True, "Done"),
        (TickerStatus.QUEUED, False, "Published"),
        (TickerStatus.IN_PROGRESS, True, "InProgress"),
    ],
)
def test_runs_says_of_a_celery_task_that_it_was_published(
    run, app, status: TickerStatus, is_started: bool, shown: str
):
    tickerq = app()
    added = tickerq.time_tickers.add(TimeTicker(function="Send"))
    moment = added.created_at
    end = {"ended_status": status, "ended_at": moment} if status in TERMINAL else {}
    started = {"started_at": moment} if is_started else {}
    started["check_at"] = moment if status is TickerStatus.QUEUED else None
    started["running_on"] = new_id() if status is TickerStatus.IN_PROGRESS else None
    at_the_broker = {"kind": "celery_task", "due_at": None, "held_for": None, "published_at": moment}
    change_row(tickerq, added.id, status=status, **at_the_broker, **started, **end)
    [line] = [line for line in run("runs").output.splitlines() if str(added.id) in line]
    assert line.split()[1] == shown


@pytest.mark.parametrize("is_there", [True, False])
def test_a_store_without_tables_is_named_in_one_line_and_no_file_is_made(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
):
    monkeypatch.setenv("CLI_STORE", "sqlite:///tickers.db")
    file = tmp_path / "tickers.db"
    if is_there:
        file.touch()
    result = run("check", "--offline")
    assert result.exit_code == 1
    line = (
        f"failed   store_url: the store sqlite:///{file} has no tables yet: "
        "run `celery -A yourapp tickerq migrate`, or tickerq.create_schema()"
    )
    missing = ". There is no such file: a relative path counts from the folder in which a process starts"
    assert result.output.splitlines()[-1] == (line if is_there else line + missing)
    assert file.exists() is is_there


def test_an_app_that_cannot_be_found_is_said_in_one_line():
    result = CliRunner().invoke(tickerq_command, ["-A", "no_such_module_here", "check"])
    assert result.exit_code == 1
    assert "no_such_module_here" in result.output
    assert "Traceback" not in result.output


def test_a_command_that_needs_an_app_asks_for_it():
    result = CliRunner().invoke(tickerq_command, ["check"])
    assert result.exit_code == 2
    assert "Missing option '-A'" in result.output


def test_the_dashboards_command_comes_from_its_entry_point():
    assert "--users" in CliRunner().invoke(tickerq_command, ["dashboard", "--help"]).output


def test_help_lists_the_dashboards_command_where_flask_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    def distribution(name: str) -> object:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("tickerq_celery.cli.command_group.distribution", distribution)
    result = CliRunner().invoke(tickerq_command, ["--help"])
    assert (result.exit_code, result.exception) == (0, None)
    assert "dashboard" in result.output
    assert "Not installed: needs the extra [dashboard]" in result.output


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--port", "80"]])
def test_the_dashboards_command_says_what_it_needs_where_flask_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
):
    # None is how `import` says that there is no such module.
    monkeypatch.setitem(sys.modules, "tickerq_dashboard.command", None)
    result = CliRunner().invoke(tickerq_command, ["dashboard", *arguments])
    assert result.exit_code == 1
    assert "needs tickerq-celery installed with the extra [dashboard]: " in result.output


@pytest.mark.verify  # tests/unit looks at all that a process imports
def test_the_core_never_imports_the_dashboard():
    script = "import sys, tickerq_celery, tickerq_celery.cli; assert 'flask' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.fixture
def old_runs(migrated, app) -> TickerQ:
    """Two runs that ended long ago, and one that is new, in the store of the command."""
    tickerq = app()
    for status, ended_at in ((TickerStatus.DONE, EARLIER),) * 2 + ((TickerStatus.FAILED, datetime.now(UTC)),):
        ended = tickerq.time_tickers.add(TimeTicker("Send", execution_time=LATER), allow_unknown=True)
        end = {"status": status, "ended_status": status, "ended_at": ended_at, "due_at": None}
        change_row(tickerq, ended.id, **end)
    count_ends(tickerq.core)
    return tickerq


def test_prune_shows_what_is_past_its_time_and_deletes_it_when_asked(run, old_runs: TickerQ) -> None:
    shown = run("prune").output
    assert ["Done", "2", "2026-01-01", "00:00:00Z", "Send"] in [line.split() for line in shown.splitlines()]
    assert "2 runs are expired" in shown
    assert "nothing was deleted: add --apply" in shown
    assert old_runs.runs.count() == 3
    applied = run("prune", "--apply", "--archive", "old.jsonl")
    assert applied.output.startswith("deleted 2 rows of sqlite:///")
    assert old_runs.runs.count() == 1
    assert len(Path("old.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    assert "deleted 0 rows" in run("prune", "--apply").output


def test_an_archive_that_cannot_be_written_is_refused_also_where_nothing_is_expired(run, migrated) -> None:
    refused = run("prune", "--apply", "--archive", "/nonexistent/x")
    assert refused.exit_code == 1
    assert "the archive /nonexistent/x cannot be written from here: nothing was deleted" in refused.stderr


def test_prune_says_that_what_the_roll_up_has_not_counted_stays(run, migrated) -> None:
    assert "no end is counted in the roll-up: what it has not counted stays" in run("prune").output


def test_prune_of_a_store_that_is_not_there_names_it(run) -> None:
    for arguments in ((), ("--apply",)):
        failed = run("prune", *arguments)
        assert failed.exit_code == 1
        assert "tickers.db" in failed.output
