"""What several test modules use is in a module of its own: importing a test module runs what it is about."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.public_names import PACKAGE, public_modules

TESTS = Path(__file__).parents[1]
PROJECT = TESTS.parent
# In a comment or a text it may stand, too; to parse all files would take seconds.
SUSPECT = re.compile(r"^ *from [\w.]*\btest_", re.MULTILINE)
IMPORT = re.compile(
    rf"^ *(?:from ({PACKAGE}[\w.]*) import (?:\(([^)]*)\)|(.*))|import ({PACKAGE}\.[\w.]+))", re.MULTILINE
)
# Users name them, too: in settings, and on command lines.
PUBLIC = {*public_modules(), f"{PACKAGE}.scheduler", f"{PACKAGE}.task"}
TABLES = f"{PACKAGE}.store.tables"
SHARES = {TESTS / "tables.py", TESTS / "statements.py", TESTS / "inner.py"}
# A module's own tests, and programs that start in less time without ``tests.inner``.
MOST_IMPORTING = 10


def test_no_module_imports_a_test_module() -> None:
    found = [
        f"{path.relative_to(TESTS)}: {node.module}"
        for path in sorted(TESTS.rglob("*.py"))
        if SUSPECT.search(path.read_text())
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module is not None
        if any(part.startswith("test_") for part in node.module.split("."))
    ]
    assert found == []


def test_one_module_imports_the_tables() -> None:
    paths = [*TESTS.rglob("*.py"), *(PROJECT / "benchmarks").rglob("*.py")]
    assert [path for path in paths if TABLES in modules_named(path)] == [TESTS / "tables.py"]


def test_few_test_files_import_an_inner_module_themselves() -> None:
    importing = defaultdict(list)
    for path in TESTS.rglob("*.py"):
        if path not in SHARES:
            for module in modules_named(path):
                importing[module].append(path)
    many = {module for module, paths in importing.items() if len(paths) > MOST_IMPORTING}
    assert {module for module in many if not is_public(module)} == set()


def modules_named(path: Path) -> set[str]:
    """Return the package's modules that a file names where it imports."""
    return set(_modules_in(path.read_text()))


def _modules_in(text: str) -> Iterator[str]:
    for source, listed, in_line, imported in IMPORT.findall(text):
        yield source or imported
        for name in re.findall(r"\w+", listed or in_line):
            path = PROJECT / source.replace(".", "/") / name
            if path.is_dir() or path.with_suffix(".py").exists():
                yield f"{source}.{name}"


def is_public(module: str) -> bool:
    parts = module.split(".")
    return module == PACKAGE or ".".join(parts[:2]) in PUBLIC
