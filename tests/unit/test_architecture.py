"""Which module may import which, and other rules that hold for the code as a whole."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tickerq_celery

ROOT = Path(tickerq_celery.__file__).parent
PROJECT = ROOT.parent
# A module imports from its own layer or from those above it. Packages end with a dot.
LAYERS = {
    "words": {"errors", "enums", "clock", "failpoints", "version"},
    "rules": {
        "backfill", "backoff", "bell", "bounds", "cancellable", "celery_call", "chain_templates", "chains",
        "codec", "config", "context", "cron", "cron_fields", "cron_grammar", "cron_notes", "cron_setting",
        "cron_zone", "drops", "event_loop", "forking", "function_limits", "interruption", "interval",
        "jitter", "lifecycle", "limits", "log_capture", "message_priority", "message_shape", "overlap",
        "pauses", "payload", "planner", "preview", "progress", "rate", "redaction", "reports", "results",
        "retry", "signature", "slot", "texts", "tickers", "timeouts", "timetable", "uuid7", "views",
    },
    "data": {"models.", "schema", "sqltypes", "store."},
    "application": {
        "admission", "canceller", "claimer", "completion", "core", "counting", "cron_drafts", "cron_upkeep",
        "dispatcher", "drafts", "drop_counts", "ending", "entries", "entry_keeper", "firing", "function",
        "heartbeat", "immediate", "imports", "known_functions", "lifting", "managers.", "moving",
        "observer", "occurrence_ends", "occurrences", "overlapping", "patience", "pausing", "presence",
        "recorder", "registry", "reporting", "run_control", "seeding", "sweeper", "untold",
    },
    "celery": {
        "addresses", "beat_check", "beat_entries", "celery_schedules", "django_celery_beat", "extension",
        "fs_bindings", "fs_channel", "fs_folder", "fs_transport", "functions", "handler", "heeding",
        "intake", "nets", "publisher", "request", "scheduler", "settings", "task", "verdict", "wiring",
        "worker",
    },
    "edge": {"__init__", "cli"},
}  # fmt: skip
NAMES = list(LAYERS)
# What each layer may import besides the standard library, and besides what the layers above may.
FRAMEWORKS = {
    "words": set(),
    "rules": {"croniter", "cryptography", "pydantic", "pydantic_core", "typing_extensions", "uuid_utils"},
    "data": {"alembic", "sqlalchemy"},
    "application": set(),
    "celery": {"billiard", "celery", "kombu"},
    "edge": {"click"},
}
LONGEST_MODULE = 300
LONGEST_FUNCTION = 40
DIALECTS = {"sqlite", "postgresql", "mysql", "mariadb"}
NAMES_DIALECTS = {"sqltypes", "store.connecting", "store.engine"}


def modules() -> dict[str, Path]:
    """Return the package's modules by name, migrations aside: those are a history, not a part."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if not name.startswith("migrations."):
            found[name] = path
    return found


MODULES = modules()
SOURCES = [*sorted(ROOT.rglob("*.py")), *sorted((PROJECT / "dashboard").rglob("*.py"))]


def layer_of(module: str) -> str:
    for layer, members in LAYERS.items():
        if module in members or f"{module.partition('.')[0]}." in members:
            return layer
    raise AssertionError(f"{module} stands in no layer: say in LAYERS where it belongs")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of what a file imports, also inside functions and for type checkers."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    """Return the package's modules that a file imports."""
    found = set()
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "tickerq_celery":
            continue
        inner = ".".join(parts[1:])
        while inner and inner not in MODULES and f"{inner}.__init__" not in MODULES:
            inner = inner.rpartition(".")[0]
        found.add(inner if inner in MODULES else f"{inner}.__init__".lstrip("."))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_upwards(module: str) -> None:
    rank = NAMES.index(layer_of(module))
    wrong = {each for each in own_imports(MODULES[module]) if NAMES.index(layer_of(each)) > rank}
    assert wrong == set()


@pytest.mark.parametrize("module", MODULES)
def test_a_layer_knows_its_frameworks_only(module: str) -> None:
    rank = NAMES.index(layer_of(module))
    allowed = set().union(*(FRAMEWORKS[name] for name in NAMES[: rank + 1]))
    third_party = {name.partition(".")[0] for name in imported(MODULES[module])}
    assert third_party - set(sys.stdlib_module_names) - {"tickerq_celery"} <= allowed


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter({name: own_imports(path) - {name} for name, path in MODULES.items()}).prepare()


def test_each_entry_of_the_table_stands_for_a_module() -> None:
    entries = set().union(*LAYERS.values())
    packages = {f"{name.partition('.')[0]}." for name in MODULES if "." in name}
    assert entries <= set(MODULES) | packages


def outer(path: Path) -> set[str]:
    return {name for name in imported(path) if name.startswith("tickerq_celery")}


@pytest.mark.parametrize("path", sorted((PROJECT / "dashboard").rglob("*.py")), ids=lambda path: path.stem)
def test_the_dashboard_imports_public_names_only(path: Path) -> None:
    public = {f"tickerq_celery.{name}" for name in tickerq_celery.__all__}
    assert {name for name in outer(path) if not name.startswith("tickerq_celery.errors.")} <= public


@pytest.mark.parametrize("path", sorted((PROJECT / "examples").rglob("*.py")), ids=lambda path: path.stem)
def test_examples_import_public_names_only(path: Path) -> None:
    public = {f"tickerq_celery.{name}" for name in tickerq_celery.__all__}
    assert {name for name in outer(path) if not name.startswith("tickerq_celery.errors.")} <= public


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_imports_stand_at_the_top_and_are_absolute(path: Path) -> None:
    tree = parsed(path)
    everywhere = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = [
        node for each in functions for node in ast.walk(each) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []
    assert [node for node in everywhere if isinstance(node, ast.ImportFrom) and node.level > 0] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_module_and_its_functions_can_be_read_in_one_sitting(path: Path) -> None:
    if "versions" in path.parts:
        return
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE
    long = [
        node.name
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of_code(node) > LONGEST_FUNCTION
    ]
    assert long == []


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has below its signature and docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize("module", sorted(set(MODULES) - NAMES_DIALECTS))
def test_a_dialect_is_named_in_few_modules_only(module: str) -> None:
    words = [node.value for node in ast.walk(parsed(MODULES[module])) if isinstance(node, ast.Constant)]
    assert [word for word in words if word in DIALECTS] == []


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"clock"}))
def test_one_module_reads_the_wall_clock(module: str) -> None:
    calls = {
        ast.unparse(node.func) for node in ast.walk(parsed(MODULES[module])) if isinstance(node, ast.Call)
    }
    assert calls & {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"} == set()


def test_the_public_names_are_few_and_exist() -> None:
    assert len(tickerq_celery.__all__) <= 20
    assert all(hasattr(tickerq_celery, name) for name in tickerq_celery.__all__)
