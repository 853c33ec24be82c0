"""What the reading commands show: the managers' views, as JSON and as tables."""

import json
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.inner import Slot, celery_command, new_id, tickerq_command
from tests.integration.apps import add_run, change_row, dispatch_due, execute, failing, fire_crons
from tests.integration.cli.conftest import Cli
from tests.integration.pruning import count_ends, forget_counts
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, TickerQ, TickerStatus, TimeTicker
from tickerq_celery.tickers.archive_lines import line_of_run
from tickerq_celery.tickers.json_values import as_json
from tickerq_celery.views import Actor, Cron, Run, RunSummary

HOUR = timedelta(hours=1)
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def nothing_counted(tickerq: TickerQ) -> None:
    """Begin before all ends, as tests of a process share the roll-up's watermark and their first moment."""
    forget_counts(tickerq.core)


@pytest.fixture
def failed(tickerq: TickerQ) -> Run:
    """A run that has failed."""
    run = add_run(tickerq, failing(ValueError("no route to ada")), description="Digest")
    execute(tickerq)
    return tickerq.runs.get(run.id)


@pytest.fixture
def coming(tickerq: TickerQ) -> list[Run]:
    """Three runs to come, the next one last."""
    return [
        tickerq.time_tickers.add(TimeTicker("Send", execution_time=START + hours * HOUR, tags=[f"t{hours}"]))
        for hours in (3, 2, 1)
    ]


def test_runs_lists_what_comes_and_what_ended_as_the_managers_do(
    asked: Ask, tickerq: TickerQ, failed: Run, coming: list[Run]
) -> None:
    document = asked("runs")
    views = [*tickerq.runs.active(), *tickerq.runs.upcoming(), *tickerq.runs.history()]
    assert document == {"items": [as_json(each) for each in views], "more": []}
    assert [item["id"] for item in document["items"]] == [
        *(str(run.id) for run in reversed(coming)),
        str(failed.id),
    ]
    assert {each.name for each in fields(RunSummary)} <= document["items"][0].keys()


@pytest.mark.parametrize(
    "command", [("runs",), ("errors",), ("show", "ID"), ("explain", "ID"), ("show", "ID", "--json")]
)
def test_a_stored_text_does_not_steer_the_terminal(
    tickerq: TickerQ, cli: Cli, command: tuple[str, ...]
) -> None:
    run = add_run(tickerq, failing(ValueError("\x1b]0;title\x07 \x1b[2J \x9b2J \u202etxt.exe")))
    execute(tickerq)
    shown = cli(*(str(run.id) if word == "ID" else word for word in command)).stdout
    assert "title" in shown
    assert "txt.exe" in shown
    assert not set("\x1b\x07\x9b\u202e") & set(shown)


def test_what_the_locale_cannot_encode_is_shown_as_its_escape_sequence(tickerq: TickerQ) -> None:
    run = add_run(tickerq, lambda context: None, description="caf\u00e9 \u2192 \U0001f600")
    runner = CliRunner(charset="latin-1")
    shown = runner.invoke(celery_command, ["show", str(run.id)], obj=tickerq.app)
    assert "caf\u00e9 \\u2192 \\U0001f600" in shown.stdout
    document = runner.invoke(celery_command, ["show", str(run.id), "--json"], obj=tickerq.app)
    assert json.loads(document.stdout)["description"] == run.description


def test_runs_lists_one_list_in_pages_or_as_a_whole(asked: Ask, cli: Cli, coming: list[Run]) -> None:
    wanted = [str(run.id) for run in reversed(coming)]
    first = asked("runs", "--upcoming", "--limit", "2")
    rest = asked("runs", "--upcoming", "--limit", "2", "--cursor", first["next_cursor"])
    assert [item["id"] for item in [*first["items"], *rest["items"]]] == wanted
    assert rest["next_cursor"] is None
    lines = cli("runs", "--upcoming", "--all", "--jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == wanted
    assert [item["id"] for item in asked("runs", "--upcoming", "--all")["items"]] == wanted


@pytest.mark.usefixtures("coming")
@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (["--status", "failed"], 1),
        (["--status", "Failed", "--status", "idle"], 4),
        (["--function", "Send"], 3),
        (["--function", "Body", "--tag", "t1"], 0),
        (["--tag", "t1"], 1),
        (["--error", "ROUTE"], 1),
        (["--error-type", "ValueError"], 1),
        (["--kind", "celery-task"], 0),
        (["--type", "time_ticker"], 4),
        (["--since", (START + 2 * HOUR).isoformat()], 2),
        (["--until", (START + HOUR).isoformat()], 1),
        (["--cron", str(new_id())], 0),
        (["--prefix", "Se"], 3),
        (["--priority", "high"], 0),
        (["--queue", "other", "--routed", "Send"], 3),
        (["--parent", str(new_id())], 0),
        (["--task-id", "none"], 0),
        (["--origin", "added", "--not-late"], 4),
        (["--unique-key", "none"], 0),
        (["--concurrency-key", "none"], 0),
        (["--hold-key", "everything:"], 0),
        (["--min-attempts", "1"], 1),
        (["--not-published", "--outcome-known"], 4),
        (["--execution-from", (START + 2 * HOUR).isoformat()], 2),
        (["--execution-until", (START + 2 * HOUR).isoformat(), "--function", "Send"], 1),
    ],
)
def test_runs_lists_only_what_meets_the_filters(
    asked: Ask, failed: Run, filters: list[str], count: int
) -> None:
    assert len(asked("runs", *filters)["items"]) == count


def test_runs_shows_the_hold_key_of_a_slot_as_its_filter_takes_it(cli: Cli, tickerq: TickerQ) -> None:
    for key in ("eu", "us"):
        run = tickerq.time_tickers.add(TimeTicker("Send", concurrency_key=key))
        held = {"held_for": "key", "hold_key": Slot("Send", key).hold_key, "held_since": START}
        change_row(tickerq, run.id, due_at=None, **held)
    assert "held: key (Send:us)" in cli("runs").stdout
    found = cli("runs", "--hold-key", "Send:eu").stdout
    assert ("held: key (Send:eu)" in found, "Send:us" in found) == (True, False)


@pytest.fixture
def calls(tickerq: TickerQ) -> dict[str, str]:
    """Two calls of a Celery task that have ended: one was reported, and one only published."""
    made = {}
    for name, started_at in (("reported", START), ("published", None)):
        run = tickerq.time_tickers.add(TimeTicker("Send", execution_time=START + HOUR))
        end = {"status": TickerStatus.DONE, "ended_status": TickerStatus.DONE, "ended_at": START}
        change_row(
            tickerq, run.id, kind="celery_task", due_at=None, published_at=START, started_at=started_at, **end
        )
        made[name] = str(run.id)
    return made


def test_a_published_call_is_found_by_its_own_option_and_not_as_done(
    asked: Ask, cli: Cli, calls: dict[str, str]
) -> None:
    for options, name in ((["--status", "done"], "reported"), (["--published"], "published")):
        assert [item["id"] for item in asked("runs", *options)["items"]] == [calls[name]]
        assert calls[name] in cli("export", *options).stdout
    assert [line.split()[1] for line in cli("runs").stdout.splitlines()[1:]] == ["Published", "Done"]
    refused = cli("runs", "--status", "Published")
    assert (refused.exit_code, "no status of its own, pass --published" in refused.stderr) == (2, True)


def test_prune_says_how_many_calls_were_only_published(
    asked: Ask, cli: Cli, tickerq: TickerQ, calls: dict[str, str], clock: ManualClock
) -> None:
    clock.advance(days=40)
    count_ends(tickerq.core)
    [found] = asked("prune")["runs"]
    assert (found["status"], found["runs"], found["published"]) == ("done", len(calls), 1)
    header, row = cli("prune").stdout.splitlines()[1:3]
    assert (header.split()[:3], row.split()[:3]) == (["STATUS", "RUNS", "PUBLISHED"], ["Done", "2", "1"])


def test_a_person_reads_what_a_run_failed_with(cli: Cli, failed: Run) -> None:
    line = cli("runs").stdout.splitlines()[1]
    assert line.split()[:2] == [str(failed.id), "Failed"]
    assert line.endswith("Body      ValueError: no route to ada")


def test_show_has_all_that_is_kept_of_a_run(asked: Ask, cli: Cli, tickerq: TickerQ, failed: Run) -> None:
    document = asked("show", str(failed.id))
    assert document == {**as_json(failed), "chain": None}
    assert [attempt["exception_message"] for attempt in document["attempts"]] == ["no route to ada"]
    text = cli("show", str(failed.id)).stdout
    assert text.startswith("Body: Failed\n")
    for words in ("ValueError: no route to ada", "Digest", "Traceback (most recent call last)", "Attempts"):
        assert words in text


def test_a_request_is_shown_as_redact_says(asked: Ask, cli: Cli, tickerq: TickerQ) -> None:
    run = tickerq.time_tickers.add(TimeTicker("Send", request={"to": "ada", "password": "hidden"}, delay=60))
    cron = tickerq.cron_tickers.add(
        CronTicker(
            "Send",
            expression="0 9 * * *",
            request={"password": "hidden"},
            children=[TimeTicker("Send", request={"password": "hidden"})],
        )
    )
    assert asked("show", str(run.id))["request"] == {"to": "ada", "password": "•••"}
    document = asked("show", str(cron.id))
    assert document["children"][0]["request"] == {"password": "•••"}
    for ticker_id in (run.id, cron.id):
        assert (
            '"hidden"'
            not in cli("show", str(ticker_id)).stdout + cli("show", str(ticker_id), "--json").stdout
        )


def test_a_damaged_request_is_said_to_be_unreadable_and_not_shown(
    asked: Ask, cli: Cli, tickerq: TickerQ
) -> None:
    run = tickerq.time_tickers.add(TimeTicker("Send", delay=60))
    change_row(tickerq, run.id, request=b'{"password": "hidd', encoding=0)
    shown = cli("show", str(run.id))
    assert shown.exit_code == 0
    assert "the request cannot be read: its JSON is damaged (18 bytes are stored)" in shown.stdout
    assert "hidd" not in shown.stdout
    document = asked("show", str(run.id))
    assert (document["request"], document["request_error"]) == (
        None,
        "the request cannot be read: its JSON is damaged",
    )
    refused = cli("clone", str(run.id))
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "its JSON is damaged: pass another one with --request" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert cli("clone", str(run.id), "--request", '{"to": "ada"}').exit_code == 0


def test_show_finds_a_cron_ticker_by_its_id(asked: Ask, cli: Cli, tickerq: TickerQ) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *", description="Daily"))
    document = asked("show", str(cron.id))
    figures = as_json(tickerq.cron_tickers.figures([cron.id])[cron.id])
    assert document == {**as_json(tickerq.cron_tickers.get(cron.id)), "figures": figures}
    assert {each.name for each in fields(Cron)} - {"stored_request", "chain"} <= document.keys()
    text = cli("show", str(cron.id)).stdout
    assert text.startswith("Send: 0 9 * * * in UTC, fires\n")
    assert "2026-01-16 09:00:00Z" in text


def test_an_id_of_nothing_is_refused_with_the_store_that_was_looked_at(
    cli: Cli, tickerq: TickerQ, namespace: str
) -> None:
    unknown = new_id()
    store = tickerq.core.database.shown
    result = cli("show", str(unknown))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error: no run and no cron ticker has the id {unknown} (store: {store}, namespace {namespace!r})\n"
    )
    result = cli("show", str(unknown), "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr) == {
        "error": "TickerNotFoundError",
        "message": f"no run and no cron ticker has the id {unknown}",
        "store": store,
        "namespace": namespace,
        "exit_code": 1,
    }


@pytest.fixture
def crons(tickerq: TickerQ) -> list[Cron]:
    """Three cron tickers, of which the second is paused, the next to fire last."""
    made = [
        tickerq.cron_tickers.add(CronTicker("Send", expression=f"0 {hour} * * *", tags=[f"at{hour}"]))
        for hour in (15, 14, 13)
    ]
    tickerq.cron_tickers.pause(made[1].id, reason="month end", by="ada")
    return made


def test_crons_lists_by_the_next_run_and_what_is_paused_last(
    asked: Ask, cli: Cli, tickerq: TickerQ, crons: list[Cron]
) -> None:
    document = asked("crons")
    listed = tickerq.cron_tickers.by_next_run()
    figures = tickerq.cron_tickers.figures([each.id for each in listed])
    assert document["items"] == [{**as_json(each), "figures": as_json(figures[each.id])} for each in listed]
    assert document["next_cursor"] is None
    assert [item["id"] for item in document["items"]] == [str(crons[at].id) for at in (2, 0, 1)]
    assert "paused: ada, month end" in cli("crons").stdout.splitlines()[-1]
    for option, wanted in (("--paused", [1]), ("--firing", [2, 0]), ("--tag=at15", [0]), ("--seeded", [])):
        assert [item["id"] for item in asked("crons", option)["items"]] == [
            str(crons[at].id) for at in wanted
        ]
    assert len(cli("crons", "--all", "--by-name", "--jsonl").stdout.splitlines()) == 3


def test_preview_says_what_a_change_of_the_clocks_does(asked: Ask, cli: Cli, tickerq: TickerQ) -> None:
    asking = (
        "preview",
        "30 2 * * *",
        "--time-zone",
        "Europe/Berlin",
        "--after",
        "2026-03-28T12:00Z",
        "--count",
        "2",
    )
    document = asked(*asking)
    assert [each["instant"] for each in document["upcoming"]] == [
        "2026-03-29T01:00:00+00:00",
        "2026-03-30T00:30:00+00:00",
    ]
    assert document["upcoming"][0]["local"] == "2026-03-29T03:00:00+02:00"
    assert "the clocks skip 02:00 to 03:00" in cli(*asking).stdout
    refused = cli("preview", "30 25 * * *")
    assert refused.exit_code == 1
    assert "store" not in refused.stderr


def test_preview_needs_no_application_and_says_the_expression_in_words() -> None:
    shown = CliRunner().invoke(tickerq_command, ["preview", "0 9 13 * FRI", "--day-or", "--count", "1"])
    assert (shown.exit_code, shown.stderr) == (0, "")
    title, words, *_ = shown.stdout.splitlines()
    assert title == "0 9 13 * FRI in UTC"
    assert words == "At 09:00, on day 13 of the month or on Friday."
    missing = CliRunner().invoke(tickerq_command, ["-A", "no_such_module", "preview", "0 9 * * *"])
    assert (missing.exit_code, "No module named 'no_such_module'" in missing.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["errors", "--since", "2020-01-01"],
        ["backfill", str(new_id()), "--since", "2026-01-01", "--until", "2126-01-01"],
        ["upcoming", "--since", "+2h", "--until", "+1h"],
        ["rollup", "--since", "3000-01-01"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_refusal_shows_moments_as_tables_do(cli: Cli, tickerq: TickerQ, arguments: list[str]) -> None:
    if arguments[0] == "backfill":
        added = tickerq.cron_tickers.add(CronTicker(function="Send", expression="@daily"), allow_unknown=True)
        arguments = [arguments[0], str(added.id), *arguments[2:]]
    refused = cli(*arguments)
    assert refused.exit_code == 1
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", refused.stderr)
    assert "datetime" not in refused.stderr
    assert "+00:00" not in refused.stderr


def test_audit_lists_who_did_what_and_finds_it_by_its_object(
    asked: Ask, cli: Cli, tickerq: TickerQ, coming: list[Run]
) -> None:
    tickerq.acting_as(Actor("ops", via="test")).runs.cancel(coming[0].id, reason="wrong month")
    tickerq.acting_as(Actor("ada", via="test")).runs.cancel(coming[1].id)
    everything = asked("audit")
    assert everything["items"] == [as_json(entry) for entry in tickerq.audit.find()]
    assert {item["actor"] for item in everything["items"]} == {"ops", "ada"}
    for options in (["--actor", "ops"], ["--run", str(coming[0].id)], ["--actor", "ops", "--all"]):
        [entry] = asked("audit", *options)["items"]
        assert (entry["action"], entry["reason"], entry["outcome"]) == ("runs.cancel", "wrong month", "done")
    assert asked("audit", "--outcome", "refused")["items"] == []
    assert "wrong month" in cli("audit").stdout
    both = cli("audit", "--run", str(coming[0].id), "--tag", "x")
    assert both.exit_code == 2


def test_audit_says_where_the_entries_about_the_runs_of_a_function_are(cli: Cli) -> None:
    said = cli("audit", "--function", "Send")
    assert said.exit_code == 0
    assert "no entry is about function Send itself" in said.output
    assert "entries about one of its runs: tickerq audit --run ID" in said.output


def test_audit_says_how_many_refusals_of_a_minute_it_shows_as_one(cli: Cli, tickerq: TickerQ) -> None:
    for _ in range(3):
        tickerq.acting_as(Actor("ops", via="test")).audit.record("door.open", "refused", error="no key")
    assert "no key (and 2 more like it)" in cli("audit").stdout


def test_export_writes_the_lines_of_the_archive_and_goes_on_where_it_was_stopped(
    cli: Cli, tickerq: TickerQ, clock: ManualClock, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []
    for _ in range(5):
        ended.append(tickerq.time_tickers.add(TimeTicker("Send")))
        execute(tickerq)
        clock.advance(seconds=1)
    wanted = [line_of_run(tickerq.runs.get(run.id)) for run in reversed(ended)]
    assert cli("export").stdout.splitlines() == wanted

    monkeypatch.setattr("tickerq_celery.cli.reading.export._AT_ONCE", 2)
    file = tmp_path / "history.jsonl"
    reads = iter([None, None, KeyboardInterrupt()])
    manager = type(tickerq.runs)
    history = manager.history

    def interrupted(*args: Any, **keywords: Any) -> Any:
        if (error := next(reads, None)) is not None:
            raise error
        return history(*args, **keywords)

    monkeypatch.setattr(manager, "history", interrupted)
    stopped = cli("export", str(file))
    assert stopped.exit_code == 130
    [said] = stopped.stderr.splitlines()
    assert said.startswith("exported 4 runs; go on with --cursor ")
    assert cli("export", str(file)).exit_code == 1  # it is there
    assert cli("export", str(file), "--cursor", said.split()[-1]).exit_code == 0
    assert file.read_text(encoding="utf-8").splitlines() == wanted


def test_an_export_of_a_mistyped_function_makes_no_file(cli: Cli, failed: Run, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    result = cli("export", str(file), "--function", "Bdoy")
    assert (result.exit_code, file.exists()) == (1, False)
    assert "no function or task is named Bdoy: did you mean Body?" in result.stderr
    assert cli("export", str(file), "--function", "Body").exit_code == 0
    again = cli("export", str(file))
    assert (again.exit_code, len(file.read_text().splitlines())) == (1, 1)
    assert "it exists; pass another name, or to go on with it the --cursor" in again.stderr


def test_show_draws_the_chain_of_a_run(asked: Ask, cli: Cli, tickerq: TickerQ) -> None:
    below = TimeTicker("Send", run_condition="on_failure", children=[TimeTicker("Send", tags=["last"])])
    head = tickerq.time_tickers.add(TimeTicker("Send", delay=60, children=[below]))
    [last] = tickerq.runs.find(tag="last")
    tree = tickerq.chains.tree(head.id)
    assert asked("show", str(last.id))["chain"] == as_json(tree)
    _, _, drawn = cli("show", str(last.id)).stdout.partition("\nChain\n")
    lines = [line for line in drawn.splitlines() if "Send" in line and ": Idle" in line]
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 2, 4]
    assert "Send [on_failure]: Idle" in lines[1]
    assert "(this run)" in lines[2]


def test_nodes_lists_what_is_there_and_what_was_lost(asked: Ask, cli: Cli, tickerq: TickerQ) -> None:
    [worker] = asked("nodes")["items"]
    assert worker == as_json(tickerq.nodes.find()[0])
    assert (worker["kind"], worker["state"]) == ("worker", "alive")
    assert asked("nodes", "--kind", "beat")["items"] == asked("nodes", "--lost")["items"] == []
    assert worker["name"] in cli("nodes", "--state", "alive").stdout
    assert cli("nodes", "--lost", "--state", "dead").exit_code == 2


def test_errors_lists_failures_by_function_and_exception(
    asked: Ask, cli: Cli, tickerq: TickerQ, failed: Run
) -> None:
    document = asked("errors")
    groups = tickerq.errors.groups()
    assert document["items"] == [as_json(each) for each in groups.groups]
    assert (document["since"], document["is_complete"]) == (as_json(groups.since), groups.is_complete)
    [group] = document["items"]
    assert (group["function"], group["count"], group["sample_id"]) == ("Body", 1, str(failed.id))
    assert "no route to ada" in cli("errors", "--function", "Body").stdout


@pytest.mark.parametrize("name", ["runs", "crons", "errors"])
def test_a_mistyped_function_is_guessed_where_nothing_was_found(cli: Cli, asked: Ask, name: str) -> None:
    said = cli(name, "--function", "Snd")
    assert (said.exit_code, said.stderr.splitlines()[0]) == (
        0,
        "no function or task is named Snd: did you mean Send?",
    )
    assert cli(name, "--function", "Send").stderr == cli(name, "--function", "Zzz").stderr
    assert asked(name, "--function", "Snd")["items"] == []


def test_functions_lists_what_workers_registered_and_shows_one_by_its_name(
    asked: Ask, cli: Cli, tickerq: TickerQ
) -> None:
    tickerq.pauses.pause(function="Send", reason="month end", by="ada")
    assert asked("functions")["items"] == [as_json(each) for each in tickerq.functions.find()]
    assert asked("functions", "--prefix", "X")["items"] == []
    document = asked("functions", "Send")
    assert document == as_json(tickerq.functions.get("Send"))
    assert (document["is_paused"], document["nodes"]) == (True, [tickerq.nodes.find()[0].name])
    assert "paused by ada: month end" in cli("functions").stdout
    assert cli("functions", "Send").stdout.startswith("Send\n")
    refused = cli("functions", "Snd")
    assert refused.exit_code == 1
    assert "did you mean Send?" in refused.stderr


def test_crons_and_show_say_how_the_last_instants_ended(
    cli: Cli, tickerq: TickerQ, clock: ManualClock
) -> None:
    cron = tickerq.cron_tickers.add(CronTicker("Send", expression="0 13 * * *"))
    clock.advance(hours=1)
    fire_crons(tickerq)
    dispatch_due(tickerq)
    execute(tickerq)
    assert "  Done  " in cli("crons").stdout.splitlines()[1]
    shown = cli("show", str(cron.id)).stdout
    assert "Done, 2026-01-15 13:00:00Z" in shown
    assert "100% of the last 1\n" in shown
    clock.advance(days=1)
    fire_crons(tickerq)
    [run] = tickerq.runs.find(status="idle")
    end = {"status": TickerStatus.DONE, "ended_status": TickerStatus.DONE, "ended_at": clock.now()}
    change_row(tickerq, run.id, kind="celery_task", due_at=None, **end)
    assert "100% of the last 2, without 1 Published\n" in cli("show", str(cron.id)).stdout


def test_prune_shows_and_deletes_as_json(asked: Ask, tickerq: TickerQ, failed: Run) -> None:
    before = asked("prune")
    assert (before["runs"], before["audit"], before["bulk"]) == ([], 0, 0)
    assert asked("prune", "--apply") == {"deleted": 0, "busy": 0}


def test_functions_names_what_no_worker_ever_registered_and_the_queue_of_a_route(
    cli: Cli, tickerq: TickerQ
) -> None:
    cron = CronTicker(function="CloseBooks", expression="0 * * * *")
    tickerq.cron_tickers.add(cron, allow_unknown=True)
    [row] = [line for line in cli("functions").stdout.splitlines() if "CloseBooks" in line]
    assert "never registered: 0 runs wait for a worker that has it" in row
    queue = tickerq.functions.get("CloseBooks").routed_queue
    assert queue is not None
    assert f" {queue} " in row
    assert "never registered" in cli("functions", "CloseBooks").stdout


def test_pauses_lists_who_paused_which_function_and_tag_and_why(
    asked: Ask, cli: Cli, tickerq: TickerQ
) -> None:
    tickerq.pauses.pause(function="Send", by="ada", reason="month end")
    tickerq.pauses.pause(tag="mail")
    assert asked("pauses")["items"] == [as_json(each) for each in tickerq.pauses.find()]
    header, function, tag = cli("pauses").stdout.splitlines()
    assert header.split() == ["PAUSED", "SINCE", "BY", "REASON"]
    assert function.startswith("function Send")
    assert function.endswith("ada  month end")
    assert tag.startswith("tag mail")


def test_pauses_without_one_says_where_paused_cron_tickers_are_listed(cli: Cli) -> None:
    assert "tickerq crons --paused" in cli("pauses").stdout


def test_runs_marks_what_no_beat_has_claimed_though_it_is_due(cli: Cli, tickerq: TickerQ) -> None:
    tickerq.time_tickers.add(TimeTicker("Send", execution_time=START + HOUR))
    change_row(tickerq, tickerq.runs.upcoming()[0].id, due_at=START - HOUR)
    tickerq.time_tickers.add(TimeTicker("Send", execution_time=START + 100_000 * HOUR))
    overdue, coming = cli("runs", "--upcoming").stdout.splitlines()[1:]
    assert overdue.endswith("overdue")
    assert not coming.endswith("overdue")


def test_audit_says_how_actions_are_named(cli: Cli) -> None:
    assert "pauses.pause" in cli("audit", "--action", "pause").stdout
