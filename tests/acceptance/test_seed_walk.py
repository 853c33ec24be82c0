"""The notification example against the TickerQ example that it follows, line for line.

``tickerq_example.md`` beside this file is that example as TickerQ's documentation has it, unchanged. Every
line of its code, and of the two sections that say in words what happens, has a row in the table of the
example's README, and every row quotes such lines and names what stands for them.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "notifications"
FOLLOWED = Path(__file__).with_name("tickerq_example.md")
# What a section without code says line by line.
IN_WORDS = ("4. Monitor Dashboard", "What Happens")
ITEM = re.compile(r"(- |\d+\. |Visit ).+")
# Brackets, comments, imports and `try` are the same, or nothing, in any language.
NO_ROW = re.compile(r"[{}();,\s]*|try|using [\w.]+;|//.*")
CONSTANTS = [
    ("celery_app.py:tickerq", "max_concurrency=10"),
    ("celery_app.py:tickerq", 'node_identifier="notification-server"'),
    ("celery_app.py:tickerq", 'store_engine_options={"pool_size": 34}'),
    ("celery_app.py:tickerq", "store_retries=3"),
    ("web.py:create_app", 'base_path="/admin/tickerq"'),
    ("web.py:create_app", 'users={"admin": (password_hash, "admin")}'),
    ("web.py:create_app", 'generate_password_hash("secure-password")'),
    (
        "jobs.py:send_welcome_email",
        '@ticker_function("SendWelcomeEmail", retries=3, retry_intervals=[60, 300, 900])',
    ),
    ("jobs.py:send_daily_digest", '@ticker_function("SendDailyDigest", cron="0 0 9 * * *")'),
    ("jobs.py:cleanup_old_notifications", '@ticker_function("CleanupOldNotifications", cron="0 0 0 * * *")'),
    ("jobs.py:DIGEST_WINDOW", "timedelta(days=1)"),
    ("jobs.py:KEEP_NOTIFICATIONS", "timedelta(days=30)"),
    ("user_service.py:UserService._welcome_email", "retries=3"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the mapping table."""

    step: str
    quoted: tuple[str, ...]
    counterpart: str
    text: str


def table() -> list[Row]:
    lines = (EXAMPLE / "README.md").read_text().partition("| Step |")[2].splitlines()[2:]
    rows = [
        re.fullmatch(
            r"\| (?P<step>[^|]+) \| (?P<quoted>`.+) \| `(?P<counterpart>[^`]+)` \| `(?P<text>.+)` \|", line
        )
        for line in lines[: lines.index("")]
    ]
    assert all(rows), "every line of the table has four columns, the last three with backticks"
    return [
        Row(**{**row.groupdict(), "quoted": tuple(re.findall("`([^`]+)`", row["quoted"]))})
        for row in rows
        if row
    ]


def followed() -> Mapping[str, list[str]]:
    """Return the lines that need a row, by the heading that they stand under, in their order."""
    lines: dict[str, list[str]] = defaultdict(list)
    heading, is_code = "", False
    for line in FOLLOWED.read_text().splitlines():
        if line.startswith("```"):
            is_code = not is_code
        elif is_code and not NO_ROW.fullmatch(line.strip()):
            lines[heading].append(line.strip().rstrip(" ,;\\"))
        elif line.startswith("#"):
            heading = line.lstrip("# ").strip()
        elif heading in IN_WORDS and ITEM.fullmatch(line):
            lines[heading].append(re.sub(r"[*`]", "", line))
    return lines


@cache
def source_of(counterpart: str) -> str:
    """Return the text of what is named: a whole file, or one name in it; fail if it does not exist."""
    name, _, symbol = counterpart.partition(":")
    path = ROOT / name[1:] if name.startswith("/") else EXAMPLE / name
    assert path.is_file(), f"{path} does not exist"
    text = path.read_text()
    return source_of_symbol(text, symbol) if symbol else text


def source_of_symbol(text: str, symbol: str) -> str:
    scope: ast.AST = parsed(text)
    for part in symbol.split("."):
        found = [node for node in ast.iter_child_nodes(scope) if part in names_of(node)]
        assert found, f"no {part} there"
        scope = found[0]
    lines = text.splitlines()[first_line(scope) - 1 : getattr(scope, "end_lineno", None)]
    return one_line("\n".join(lines))


parsed = cache(ast.parse)


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def first_line(node: ast.AST) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min(getattr(part, "lineno", 1) for part in [node, *decorators])


@cache
def one_line(text: str) -> str:
    """Undo what a formatter does to long lines, so that only the words count."""
    flat = " ".join(text.split())
    return re.sub(r",? ([)\]}])", r"\1", re.sub(r"([(\[{]) ", r"\1", flat))


@pytest.mark.parametrize("row", table(), ids=lambda row: f"{row.step} {row.counterpart} {row.text}")
def test_what_the_table_says_stands_in_the_code(row: Row) -> None:
    assert one_line(row.text) in one_line(source_of(row.counterpart))


def test_the_table_has_every_step_in_order() -> None:
    assert list(dict.fromkeys(row.step for row in table())) == list(followed())


@pytest.mark.parametrize("step", followed())
def test_every_line_of_the_example_has_a_row_and_every_row_quotes_such_lines(step: str) -> None:
    quoted = {line for row in table() if row.step == step for line in row.quoted}
    lines = set(followed()[step])
    assert (lines - quoted, quoted - lines) == (set(), set())


@pytest.mark.parametrize(("counterpart", "text"), CONSTANTS)
def test_the_constants_are_those_of_the_example_it_follows(counterpart: str, text: str) -> None:
    assert text in source_of(counterpart)
