"""The floor plan: which room may import which, and other rules that hold for the code as a whole."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import tickerq_celery
from tests.pages import names, section, table
from tests.public_names import public_names
from tickerq_celery import enums

PACKAGE = "tickerq_celery"
ROOT = Path(tickerq_celery.__file__).parent
PROJECT = ROOT.parent
# Every room may import these; they import one another only. ``wording`` holds the texts of errors and values,
# of which each room shows some; ``deferred`` keeps from a process what it never calls, in any room.
LEAVES = {"errors", "enums", "clock", "validation", "failpoints", "ids", "wording", "deferred"}
# A room imports the rooms named here, and the leaves.
ROOMS: dict[str, set[str]] = {
    "schedule": set(),
    "payload": set(),
    "tickers": {"schedule", "payload"},
    "functions": {"schedule", "payload", "tickers"},
    "broker": {"payload", "tickers"},
    "store": {"schedule", "payload", "tickers", "functions"},
    "runtime": {"schedule", "payload", "functions", "store"},
    "cron": {"schedule", "payload", "tickers", "functions", "store", "runtime"},
    "runs": {"tickers", "functions", "store", "runtime", "cron"},
    # Figures of what has ended, which beat counts and managers show: neither may import the other.
    "stats": {"tickers", "functions", "store", "runtime"},
    # Diagnosis changes nothing: apart from the managers, it can neither import nor do what they do.
    "health": {"tickers", "functions", "store", "runtime", "stats"},
    "managers": {
        "schedule",
        "payload",
        "tickers",
        "store",
        "runtime",
        "cron",
        "runs",
        "stats",
        "health",
    },
    "worker": {"payload", "tickers", "functions", "store", "runtime", "cron", "runs", "broker"},
    "beat": {"schedule", "payload", "tickers", "store", "runtime", "cron", "runs", "stats", "broker"},
}
EVERY_ROOM = set(ROOMS)
# What the store's own rooms stand on.
BELOW = {"tables", "database"}
# Rooms inside a room, by the same rule; all of them may import the modules beside them.
INNER_ROOMS: dict[str, dict[str, set[str]]] = {
    "store": {
        "tables": set(),
        "migrations": {"tables"},
        "database": {"tables", "migrations"},
        "reading": BELOW,
        "nodes": {*BELOW, "reading"},
        "runs": {*BELOW, "reading", "nodes"},
        "calls": {*BELOW, "runs"},
        "cron": {*BELOW, "reading", "runs"},
        "functions": {*BELOW, "reading", "nodes", "cron"},
        "stats": {*BELOW, "reading"},
        "health": {*BELOW, "reading", "runs", "functions"},
        # Apart from cron: it also reads the beats that there are.
        "outlook": {*BELOW, "reading", "nodes", "cron"},
        "records": {*BELOW, "reading", "runs"},
    },
    # Occurrences are runs, and a time ticker is one.
    "managers": {"runs": set(), "cron": {"runs"}, "time_tickers": {"runs"}},
}
# What each door may import besides the leaves. No room imports a door, and nothing imports the command line.
DOORS: dict[str, set[str]] = {
    "settings": {"broker", "functions", "runtime", "store"},
    "task": {"broker", "functions", "tickers", "worker"},
    "wiring": EVERY_ROOM,
    "extension": {*EVERY_ROOM, "settings", "task", "wiring"},
    "decorator": {"functions", "managers", "settings", "extension"},
    "scheduler": {"beat", "runtime", "extension"},
    # Every value that a user gets: rooms hold them where they are made.
    "views": {"payload", "runtime", "schedule", "tickers"},
    # The limits that a form or an API of a user's can refuse by: rooms hold them where they check them.
    "limits": {"schedule"},
    # What users annotate code of their own with: objects that they hold, and the keywords of calls.
    "typing": {"functions", "managers", "runtime", "tickers"},
    # What an application's own env.py imports: it must not open the store, nor read its settings.
    "alembic": set(),
}
PUBLIC = {*EVERY_ROOM, *DOORS}
# The kit for users' tests runs what beat and worker do, on what wiring makes; nothing imports it.
DOORS |= {"testing": PUBLIC, "cli": PUBLIC, "__init__": PUBLIC}
PURE = {"schedule", "payload", "tickers", "functions"}
KNOWS_CELERY = {"broker", "worker", "beat", *DOORS}
CELERY = {"billiard", "celery", "kombu"}
LONGEST_MODULE, SHORTEST_MODULE = 300, 20
LONGEST_FUNCTION = 40
LONGEST_FACADE = 180
# What an application names every day; the rest stands in ``views``, ``typing``, ``enums`` and ``errors``.
MOST_PUBLIC_NAMES = 22
DIALECTS = {"sqlite", "postgresql", "mysql", "mariadb"}
NAMES_DIALECTS = ("store/tables/column_types.py", "store/database/dialects/")
READS_WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}


SETS_OF_STATUSES = ("UNSTARTED", "CLAIMED", "UNENDED", "SUCCEEDED", "DECIDED", "TERMINAL", "RETRIABLE")


# Not at the import, which each process of a run does.
@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def walked(tree: ast.AST) -> Sequence[ast.AST]:
    return list(ast.walk(tree))


@pytest.fixture(autouse=True, scope="module")
def _forget() -> Iterator[None]:
    """Keep no trees for the tests of other modules to look for garbage in."""
    yield
    parsed.cache_clear()
    walked.cache_clear()


def trees(paths: Iterable[Path]) -> Iterator[tuple[Path, ast.Module]]:
    return ((path, parsed(path)) for path in paths)


def name_of(path: Path) -> str:
    """Return a module's path below the package, or below the project for what is outside of it."""
    return path.relative_to(ROOT if path.is_relative_to(ROOT) else PROJECT).as_posix()


# Migrations are a history, not a part.
MODULES = [path for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.parts]
SOURCES = [*MODULES, *sorted((PROJECT / "dashboard").rglob("*.py"))]


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full names of what a module imports, also inside functions and for type checkers."""
    for node in walked(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(tree: ast.AST) -> set[str]:
    """Return the full names of what a module imports from the package."""
    return {name for name in imported(tree) if name.partition(".")[0] == PACKAGE}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> set[str]:
    """Return the rooms and doors other than its own that a module imports."""
    return {name.split(".")[1] for name in own(parsed(path))} - {room_of(path)}


def test_each_module_imports_what_its_room_or_door_may() -> None:
    allowed = {**ROOMS, **DOORS, **dict.fromkeys(LEAVES, LEAVES)}
    wrong = {
        (name_of(path), target)
        for path in MODULES
        for target in rooms_imported(path) - LEAVES - allowed[room_of(path)]
    }
    assert wrong == set()


def test_rooms_and_doors_have_no_cycle() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        graph.setdefault(room_of(path), set()).update(rooms_imported(path))
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_each_module_imports_what_its_inner_room_may(room: str) -> None:
    allowed = INNER_ROOMS[room]
    wrong = {
        (name_of(path), name)
        for inner in allowed
        for path in MODULES
        if path.is_relative_to(ROOT / room / inner)
        for name in own(parsed(path))
        if name.split(".")[1] == room and name.split(".")[2] in allowed.keys() - {inner, *allowed[inner]}
    }
    assert wrong == set()


@pytest.mark.parametrize("room", INNER_ROOMS)
def test_inner_rooms_have_no_cycle_and_all_of_them_are_known(room: str) -> None:
    TopologicalSorter(INNER_ROOMS[room]).prepare()
    found = {path.name for path in (ROOT / room).iterdir() if path.is_dir()} - {"__pycache__"}
    assert found == INNER_ROOMS[room].keys()


def test_each_module_of_the_store_is_in_one_of_its_rooms() -> None:
    assert [path.name for path in (ROOT / "store").glob("*.py")] == ["__init__.py"]


def test_what_a_manager_is_made_of_inherits_nothing_of_another() -> None:
    bases = {
        node.name: {ast.unparse(base).partition("[")[0] for base in node.bases}
        for path, tree in trees(MODULES)
        if room_of(path) == "managers"
        for node in walked(tree)
        if isinstance(node, ast.ClassDef)
    }
    parts = set().union(*bases.values())
    assert {name for name in parts if bases.get(name, set()) & bases.keys()} == set()


def test_a_manager_is_named_where_it_is_defined_made_and_exported() -> None:
    importing = [(name_of(path), name.rpartition(".")[2]) for path in MODULES for name in own(parsed(path))]
    wrong = {
        (path, name)
        for path, name in importing
        if name.endswith("Manager") and name not in PARTS_OF_OTHERS
        if path not in {"managers/acting.py", "typing.py"}
    }
    assert wrong == set()


# What others do their work with: occurrences are runs, what is scheduled is a time ticker; and a base.
PARTS_OF_OTHERS = {"RunManager", "TimeTickerManager", "AsyncManager"}


def test_no_modules_import_each_other_in_a_circle() -> None:
    files = {name_of(path).removesuffix(".py").replace("/", "."): path for path in MODULES}

    def module_of(name: str) -> str:
        inner = name.removeprefix(f"{PACKAGE}.")
        while inner not in files and f"{inner}.__init__" not in files:
            inner = inner.rpartition(".")[0]
        return inner if inner in files else f"{inner}.__init__"

    graph = {name: {module_of(each) for each in own(parsed(path))} - {name} for name, path in files.items()}
    TopologicalSorter(graph).prepare()


def named_in(tree: ast.AST, field: str) -> bool:
    return any(
        field in (getattr(node, part, None) for part in ("attr", "id", "arg", "value"))
        for node in walked(tree)
    )


# An option is written down once for each surface, however many rooms act on it.
@pytest.mark.parametrize(("field", "most"), [("concurrency_key", 25), ("hard_timeout", 19)])
def test_few_files_name_an_option_of_tickers(field: str, most: int) -> None:
    found = [name_of(path) for path, tree in trees(SOURCES) if named_in(tree, field)]
    assert len(found) <= most, found


def statuses_in(node: ast.AST) -> frozenset[str]:
    """Return the statuses that a literal lists, if it lists nothing else."""
    found = [ast.unparse(each) for each in getattr(node, "elts", ())]
    is_all = all(each.startswith("TickerStatus.") for each in found)
    return frozenset(each.removeprefix("TickerStatus.") for each in found) if is_all else frozenset()


def test_a_set_of_statuses_that_has_a_name_is_listed_beside_the_enum_only() -> None:
    named = {name: frozenset(each.name for each in getattr(enums, name)) for name in SETS_OF_STATUSES}
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in trees(SOURCES)
        if name_of(path) != "enums.py"
        for node in walked(tree)
        if isinstance(node, ast.Set | ast.List | ast.Tuple) and statuses_in(node) in named.values()
    ]
    assert wrong == []
    pages = [(name_of(page), page.read_text("utf-8")) for page in (PROJECT / "dashboard").rglob("*.html")]
    assert [name for name, text in pages if re.search(r"status\.value *[<>]", text)] == []


def test_the_root_holds_the_rooms_and_the_doors_and_nothing_else() -> None:
    found = {path.stem if path.suffix == ".py" else path.name for path in ROOT.iterdir()}
    assert found - {"__pycache__", "py.typed"} == {*ROOMS, *DOORS, *LEAVES}


def listed(heading: str) -> list[str]:
    """Return the rooms, doors or leaves that CONTRIBUTING.md lists, as folders and files."""
    text = section("CONTRIBUTING.md", heading)
    first = [row[0] for row in table(text)] or re.findall(r"^\* (`[^`]+`):", text, re.MULTILINE)
    return sorted(names([each.replace("/`", "`") for each in first]))


@pytest.mark.parametrize(
    ("heading", "known"),
    [("### Rooms", {*ROOMS}), ("### Doors", DOORS.keys() - {"__init__"}), ("### Leaves", LEAVES)],
)
def test_contributing_lists_the_rooms_doors_and_leaves(heading: str, known: set[str]) -> None:
    assert listed(heading) == sorted(name if (ROOT / name).is_dir() else f"{name}.py" for name in known)


def test_pure_rooms_know_neither_the_database_nor_celery() -> None:
    wrong = {
        (name_of(path), name)
        for path, tree in trees(MODULES)
        for name in imported(tree)
        if room_of(path) in PURE and name.partition(".")[0] in {"sqlalchemy", "alembic", *CELERY}
    }
    assert wrong == set()


def test_few_rooms_know_celery() -> None:
    wrong = {
        (name_of(path), name)
        for path, tree in trees(MODULES)
        for name in imported(tree)
        if room_of(path) not in KNOWS_CELERY and name.partition(".")[0] in CELERY
    }
    assert wrong == set()


def test_the_dashboard_and_the_examples_import_public_names_only() -> None:
    public = {f"{module}.{name}" for module, names in public_names().items() for name in names}
    outside = [*(PROJECT / "dashboard").rglob("*.py"), *(PROJECT / "examples").rglob("*.py")]
    wrong = {(name_of(path), name) for path in outside for name in own(parsed(path)) - public}
    assert wrong == set()


def test_imports_stand_at_the_top_and_are_absolute() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in trees(SOURCES)
        for node in walked(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and ((node.col_offset > 0 and is_inside_function(tree, node)) or getattr(node, "level", 0) > 0)
    ]
    assert wrong == []


def is_inside_function(tree: ast.Module, node: ast.AST) -> bool:
    functions = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(node in ast.walk(function) for function in functions)


def test_what_is_deferred_is_what_type_checkers_import() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in trees(SOURCES)
        for node in walked(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if deferred_in(node) - {name for each in node.body for name in imported(each)}
    ]
    assert wrong == []


def deferred_in(node: ast.If) -> set[str]:
    """Return the full names of what stands for itself until it is called."""
    return {
        ".".join(ast.literal_eval(argument) for argument in each.value.args)
        if ast.literal_eval(each.value.args[-1]) == ast.unparse(each.targets[0])
        else ast.unparse(each)
        for each in node.orelse
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Call)
        if ast.unparse(each.value.func) == "Deferred"
    }


def test_a_module_can_be_read_in_one_sitting_and_holds_more_than_a_few_lines() -> None:
    sizes = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert [name for name, lines in sizes.items() if lines > LONGEST_MODULE] == []
    short = {name for name, lines in sizes.items() if lines < SHORTEST_MODULE}
    assert {name for name in short if not name.endswith("__init__.py")} == STANDS_FOR_A_CONCEPT


# Short modules that others import a concept from.
STANDS_FOR_A_CONCEPT = {
    "dashboard/tickerq_dashboard/access/logout.py",
    "errors/ticker_error.py",
    "ids.py",
    "tickers/drop_reasons.py",
}


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in trees(SOURCES)
        for node in walked(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of_code(node) > LONGEST_FUNCTION
    ]
    assert long == []


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has below its signature and docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_a_dialect_is_named_in_few_modules_only() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in trees(MODULES)
        for node in walked(tree)
        if isinstance(node, ast.Constant)
        and node.value in DIALECTS
        and not name_of(path).startswith(NAMES_DIALECTS)
    ]
    assert wrong == []


def test_one_module_reads_the_wall_clock() -> None:
    wrong = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in trees(MODULES)
        for node in walked(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in READS_WALL_CLOCK
        and name_of(path) != "clock.py"
    ]
    assert wrong == []


def test_the_public_names_are_few_and_exist() -> None:
    assert len(tickerq_celery.__all__) <= MOST_PUBLIC_NAMES
    assert all(hasattr(tickerq_celery, name) for name in tickerq_celery.__all__)


def test_the_facade_only_wires() -> None:
    assert len((ROOT / "extension.py").read_text(encoding="utf-8").splitlines()) < LONGEST_FACADE
