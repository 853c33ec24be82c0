"""The documents against the code: what they name exists, and what exists is named."""

import ast
import importlib
import inspect
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, is_typeddict
from uuid import UUID

import click
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.conftest import DATABASES
from tests.inner import celery_command
from tests.pages import BLOCK, ROOT, names, section, table, text_of
from tickerq_celery import (
    Attempt,
    Cron,
    CronTicker,
    Run,
    TickerContext,
    TimeTicker,
    errors,
    ticker_function,
    typing,
)
from tickerq_celery.cli.own_commands import OWN
from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.functions.options import FunctionOptions
from tickerq_celery.managers.cron import cron_tickers
from tickerq_celery.managers.time_tickers import operations as time_ticker_operations
from tickerq_celery.runtime.config import SETTINGS
from tickerq_celery.views import (
    CronSummary,
    FindingCode,
    FunctionView,
    LostNode,
    NodeView,
    RunExplanation,
    RunSummary,
    Severity,
    TickerConfig,
    Wait,
    WaitCause,
)
from tickerq_dashboard.options import Options

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*/README.md")]
)
OWN_PACKAGES = ("tickerq_celery", "tickerq_dashboard")
HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
PLACEHOLDER = re.compile(r"%(?:\.\d+f|[sdr])")
LONGEST_LINE, LONGEST_CELL = 120, 180
# A line that a link or the id of a test makes longer cannot be wrapped.
LONG_WORD = 90
# A history that is not rewritten, and figures that are generated.
NOT_WRAPPED = ("CHANGELOG.md", "THIRD_PARTY_NOTICES.md", "docs/how-it-works/benchmarks/")
EMPTY_DEFAULTS = (None, {}, ())
# How a request and a chain are stored; users read the properties that unpack them.
PACKED = {"stored_request", "chain"}
CHANGEABLE = {
    TimeTicker: {field.name for field in fields(TimeTicker)} - time_ticker_operations.FIXED,
    CronTicker: {field.name for field in fields(CronTicker)} - cron_tickers.FIXED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCall:
    """One line of the code that logs."""

    location: str
    message: str


def blocks(language: str) -> list[Any]:
    found = []
    for document in DOCUMENTS:
        for number, match in enumerate(BLOCK.finditer(document.read_text()), start=1):
            if match["language"] == language:
                found.append(pytest.param(match["text"], id=f"{document.relative_to(ROOT)}-{number}"))
    return found


def shown(default: object) -> str:
    """Return how the table of settings writes a default."""
    if default in EMPTY_DEFAULTS:
        return "none"
    if isinstance(default, timedelta):
        return f"{default.total_seconds():g} s"
    if isinstance(default, tuple):
        return ", ".join(f"`{each}`" for each in default)
    return f"{default:,}" if type(default) is int else f"`{default}`"


def test_the_page_of_settings_names_every_one_with_its_default() -> None:
    rows = table(section("docs/reference/settings.md", "# Settings"))
    assert [name for row in rows for name in names([row[0]])] == list(SETTINGS)
    assert [row[0] for row in rows if not row[2]] == []
    config = TickerConfig()
    defaults = {name: shown(getattr(config, name)) for name in SETTINGS}
    # Two defaults depend on the app first: the table says so before ", else".
    written = {names([row[0]])[0]: row[1].rpartition(", else ")[2] for row in rows}
    assert written == defaults


def test_the_reference_names_the_keywords_of_each_call() -> None:
    rows = table(section("docs/reference/fields.md", "## Types").partition("The keywords of calls are:")[2])
    keywords = [name for name in typing.__all__ if is_typeddict(getattr(typing, name))]
    assert sorted(names([row[0] for row in rows])) == keywords


def test_the_page_of_the_command_line_names_every_command() -> None:
    rows = table(section("docs/reference/command-line.md", "## Commands"))
    known = celery_command.list_commands(celery_command.make_context("tickerq", [], resilient_parsing=True))
    assert sorted(name for row in rows for name in names([row[0]])) == known


def test_the_page_of_health_names_every_finding_with_its_severities() -> None:
    page = text_of("docs/operations/health.md").partition("## Findings")[2].partition("## Probes")[0]
    rows = table(page)
    assert sorted(name for row in rows for name in names([row[0]])) == sorted(FindingCode)
    for row in rows:
        severities = row[1].split(", ")
        assert set(severities) <= set(Severity), row
        assert (row[3] == "") is (severities == ["ok"] and row[0] != "`dropped`"), row


def test_the_page_of_the_command_line_names_every_argument_and_option() -> None:
    page = "docs/reference/command-line.md"
    reference = section(page, "## Reference")
    for part in ("Fields", "Filters"):
        options = ", ".join(row[0] for row in table(section(page, f"### {part}")))
        reference = reference.replace(f"`{part.upper()}`", options)
    rows = table(reference)
    # Names of arguments have brackets and dots, those of commands in groups a space.
    cells = [[re.findall(r"`([^`]+)`", cell) for cell in row[:2]] for row in rows]
    documented = [(command, name) for [command], parameters in cells for name in parameters or [""]]
    own = {name: each.load() for name, each in OWN.items()}
    assert sorted(documented) == sorted(
        (command, name) for command, each in commands_in(own) for name in parameters_of(each) or [""]
    )


def commands_in(group: Mapping[str, click.Command]) -> Iterator[tuple[str, click.Command]]:
    """Yield commands with their names; those of a group below it with both names."""
    for name, command in group.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", each) for below, each in command.commands.items())
        else:
            yield name, command


def commands_of_the_page() -> list[str]:
    text = (ROOT / "docs" / "reference" / "command-line.md").read_text()
    written = [line for match in BLOCK.finditer(text) for line in match["text"].splitlines()]
    written += re.findall(r"`(tickerq [^`]+)`", text.partition("\n- [")[0])
    return sorted({re.split(r"\s+#|\s\|", line)[0] for line in written if re.match(r"tickerq [a-z]", line)})


@pytest.mark.parametrize("line", commands_of_the_page())
def test_every_command_on_the_page_of_the_command_line_can_be_given(line: str) -> None:
    known = {"ID": str(UUID(int=1)), "CRON_ID": str(UUID(int=2)), "NAME": "Send"}
    words = [known.get(word, word) for word in shlex.split(line)[1:]]
    assert OWN[words[0]].load().make_context(words[0], words[1:]) is not None


def parameters_of(command: click.Command) -> list[str]:
    """Return the options and arguments of a command, without those that each one has."""
    return [
        parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
        for parameter in command.params
        if not {"--json", "--jsonl", "--as"}.intersection(parameter.opts)
    ]


def test_every_option_of_a_function_is_documented() -> None:
    rows = table(section("docs/reference/functions.md", "## Options"))
    [name, _] = inspect.signature(ticker_function).parameters
    options = [name, *FunctionOptions.__annotations__]
    assert [names([row[0]])[0] for row in rows] == options
    assert re.findall(r"^ {8}(\w+): ", str(FunctionOptions.__doc__), re.MULTILINE) == options[1:]


def test_every_field_of_the_context_is_documented() -> None:
    rows = table(section("docs/reference/functions.md", "## What a function may take"))
    documented = {name for row in rows for name in names([row[0]])}
    properties = {name for name, value in vars(TickerContext).items() if isinstance(value, property)}
    methods = {name for name, _ in inspect.getmembers(TickerContext, inspect.isfunction) if name[0] != "_"}
    shown = {field.name for field in fields(TickerContext) if field.repr or field.name == "request"}
    assert documented == properties | methods | shown


def test_every_error_is_documented_in_the_order_of_the_tree() -> None:
    rows = table(section("docs/reference/errors.md", "# Errors"))
    _, _, tree = str(errors.__doc__).partition("\n\n")
    known = re.findall(r"^\W*(\w+)", tree, re.MULTILINE)
    assert [names([row[0]])[0] for row in rows] == known
    assert sorted(known) == sorted(errors.__all__)


def test_every_status_is_documented_in_its_order() -> None:
    rows = table(section("docs/concepts/statuses.md", "## Statuses"))
    assert [row[0].upper() for row in rows] == [status.name.replace("_", "") for status in TickerStatus]


def test_every_hold_is_documented_in_its_order() -> None:
    rows = table(section("docs/concepts/statuses.md", "## Holds"))
    assert [names([row[0]])[0] for row in rows] == [reason.value for reason in HoldReason]


def test_every_cause_of_waiting_is_documented_in_its_order() -> None:
    rows = table(section("docs/operations/why-waiting.md", "## Causes"))
    assert [names([row[0]])[0] for row in rows] == [cause.value for cause in WaitCause]
    assert all(row[1] and row[2] for row in rows)


@pytest.mark.parametrize("kind", [RunExplanation, Wait])
def test_every_field_of_an_explanation_is_documented(kind: type[RunExplanation | Wait]) -> None:
    rows = table(section("docs/reference/fields.md", f"## `{kind.__name__}`"))
    assert [names([row[0]])[0] for row in rows] == [field.name for field in fields(kind)]


def default_of(field: Any) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


@pytest.mark.parametrize("kind", [TimeTicker, CronTicker])
def test_every_field_of_a_ticker_is_documented_with_its_default(kind: type[TimeTicker | CronTicker]) -> None:
    rows = table(section("docs/reference/fields.md", f"## `{kind.__name__}`"))
    assert [names([row[0]])[0] for row in rows] == [field.name for field in fields(kind)]
    defaults = [shown(default_of(field)) for field in fields(kind)]
    assert [row[1].replace("`()`", "none") for row in rows] == defaults
    assert changeable(rows) == CHANGEABLE[kind]


@pytest.mark.parametrize(("kind", "ticker"), [(Run, TimeTicker), (Cron, CronTicker), (Attempt, None)])
def test_every_field_of_what_is_read_is_documented(kind: Any, ticker: Any) -> None:
    rows = table(section("docs/reference/fields.md", f"## `{kind.__name__}`"))
    documented = [names([row[0]])[0] for row in rows]
    kept = [field for field in fields(kind) if field.name not in PACKED]
    properties = {name for name, _ in inspect.getmembers(kind, lambda value: isinstance(value, property))}
    assert documented[: len(kept)] == [field.name for field in kept]
    assert set(documented[len(kept) :]) == properties
    may_be_none = ["None" in str(field.type) for field in kept]
    assert [row[1].endswith(", none") for row in rows[: len(kept)]] == may_be_none
    if ticker is not None:
        assert changeable(rows) == CHANGEABLE[ticker] & set(documented)


def changeable(rows: list[list[str]]) -> set[str]:
    assert {row[3] for row in rows} == {"yes", "no"}
    return {names([row[0]])[0] for row in rows if row[3] == "yes"}


def test_every_option_of_the_dashboard_is_documented() -> None:
    rows = table(section("docs/reference/dashboard-options.md", "# Options of the dashboard"))
    documented = {name for row in rows for name in names([row[0]])}
    assert documented == {"users", "auth"} | {field.name for field in fields(Options)}


@cache
def log_calls() -> Sequence[LogCall]:
    return list(_log_calls())


def _log_calls() -> Iterator[LogCall]:
    for path in sorted([*(ROOT / "tickerq_celery").rglob("*.py"), *(ROOT / "dashboard").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and is_logging(node.func) and node.args:
                [message, *_] = node.args
                assert isinstance(message, ast.Constant), f"{path}:{node.lineno}"
                yield LogCall(
                    location=f"{path.relative_to(ROOT)}:{node.lineno}",
                    message=PLACEHOLDER.sub("…", str(message.value)),
                )


def is_logging(called: ast.expr) -> bool:
    if isinstance(called, ast.Attribute):
        return isinstance(called.value, ast.Name) and called.value.id == "logger"
    return isinstance(called, ast.Name) and called.id == "log"  # logger.info or logger.warning


def test_every_log_line_is_explained_and_every_explained_line_exists() -> None:
    explained = set()
    for heading in ("## A run's life", "## Degraded, and handled", "## Errors that need an action"):
        explained |= {row[0].strip("`") for row in table(section("docs/operations/log-lines.md", heading))}
    logged = {call.message: call.location for call in log_calls() if call.message != "…"}
    unexplained = {
        message: location
        for message, location in logged.items()
        if not any(explains(line, message) for line in explained)
    }
    assert unexplained == {}
    assert [line for line in explained if not any(explains(line, message) for message in logged)] == []


def explains(line: str, message: str) -> bool:
    """Return True if a line of the document stands for a message; it may be cut where advice follows."""
    return line == message or (line.endswith(" …") and message.startswith(line[:-1]))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = BLOCK.sub("", document.read_text())
    broken = []
    for match in LINK.finditer(text):
        target, _, anchor = match["target"].partition("#")
        if "://" in target:
            continue
        path = (document.parent / target).resolve() if target else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(match["target"])
    assert broken == []


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    headings = [match["text"] for match in HEADING.finditer(BLOCK.sub("", document.read_text()))]
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_lines_of_prose_are_wrapped() -> None:
    long = [
        f"{place}: {len(line)} characters"
        for place, line in prose()
        if not line.startswith(("|", "!["))
        and len(line) > LONGEST_LINE
        and max(map(len, line.split())) < LONG_WORD
    ]
    assert long == []


def test_cells_of_tables_are_short() -> None:
    # The examples quote lines of code in theirs.
    cells = [
        (place, LINK.sub(r"\g<text>", cell).strip())
        for place, line in prose()
        for cell in line.strip("|").split("|")
        if line.startswith("|") and not place.startswith("examples/")
    ]
    assert [place for place, cell in cells if len(cell) > LONGEST_CELL] == []


def prose() -> Iterator[tuple[str, str]]:
    """Yield the lines of the documents without their blocks of code, each with its place."""
    for document in DOCUMENTS:
        name = document.relative_to(ROOT).as_posix()
        text = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), document.read_text())
        if not name.startswith(NOT_WRAPPED):
            yield from ((f"{name}:{number}", line) for number, line in enumerate(text.split("\n"), 1))


@pytest.mark.parametrize("text", blocks("python"))
def test_every_python_block_compiles_and_imports_what_exists(text: str) -> None:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OWN_PACKAGES:
            module = importlib.import_module(str(node.module))
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize("text", blocks("sql"))
def test_every_query_runs_on_every_database(schema_url: Callable[[str], str], kind: str, text: str) -> None:
    with create_engine(schema_url(kind), poolclass=NullPool).connect() as connection:
        connection.exec_driver_sql(text).all()


def test_no_page_and_no_message_installs_from_pypi_what_is_not_there() -> None:
    packages = (ROOT / "tickerq_celery", ROOT / "dashboard" / "tickerq_dashboard")
    sources = [path for package in packages for path in package.rglob("*.py")]
    wanted = re.compile(r"pip3? install[^\n]*\btickerq[-_]celery\b(?!/)")
    wrong = [path.name for path in [*DOCUMENTS, *sources] if wanted.search(path.read_text())]
    assert wrong == []


def test_the_tables_of_this_test_are_not_empty() -> None:
    assert len(blocks("sql")) == 7
    assert len(blocks("python")) > 10
    assert len(log_calls()) > 20


def test_what_a_summary_lacks_and_has_of_its_own_is_documented() -> None:
    page = section("docs/reference/fields.md", "## `RunSummary`")
    of_run = {field.name for field in fields(Run)} - PACKED | {"request"}
    of_summary = {field.name for field in fields(RunSummary)}
    assert [names([row[0]])[0] for row in table(page)] == sorted(of_summary - of_run)
    left_out = page.partition("but ")[2].partition("two of its own")[0]
    assert set(names([left_out])) == of_run - of_summary


@pytest.mark.parametrize("view", [NodeView, LostNode, FunctionView])
def test_each_field_of_a_node_and_of_a_function_is_documented(view: type[Any]) -> None:
    rows = table(section("docs/operations/nodes.md", f"## `{view.__name__}`"))
    assert sorted(name for row in rows for name in names([row[0]])) == sorted(
        field.name for field in fields(view)
    )


def test_what_a_summary_of_a_cron_ticker_lacks_is_documented() -> None:
    page = section("docs/reference/fields.md", "## `CronSummary`")
    of_cron = {field.name for field in fields(Cron)} - PACKED | {"request", "shown_request", "children"}
    left_out = page.partition("but ")[2]
    assert set(names([left_out])) == of_cron - {field.name for field in fields(CronSummary)}
