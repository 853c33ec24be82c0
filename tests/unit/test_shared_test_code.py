"""What several test modules use is in a module of its own: importing a test module runs what it is about."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
# In a comment or a text it may stand, too; to parse all files would take seconds.
SUSPECT = re.compile(r"^ *from [\w.]*\btest_", re.MULTILINE)


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
