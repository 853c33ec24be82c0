"""What the parts of the dashboard may import."""

import ast
from collections.abc import Iterator
from pathlib import Path

import tickerq_dashboard

ROOT = Path(tickerq_dashboard.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
# Who makes or hands on the TickerQ; all others are given values.
KNOWS_TICKERQ = {"app", "auditing", "command", "health", "visits", "pages", "reading", "actions"}
WITHOUT_FLASK = {"show", "commands", "words", "filters", "assets", "options"}
APART = ({"pages"}, {"actions"}, {"forms"}, {"api"})


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(part: str) -> set[str]:
    return {name for path in MODULES if part_of(path) == part for name in imported(path)}


def test_nothing_of_the_dashboard_knows_sql() -> None:
    roots = {name.partition(".")[0] for path in MODULES for name in imported(path)}
    assert roots.isdisjoint({"sqlalchemy", "alembic", "celery"})


def test_few_parts_hold_the_tickerq() -> None:
    holders = {part_of(path) for path in MODULES if "tickerq_celery.TickerQ" in set(imported(path))}
    assert holders <= KNOWS_TICKERQ


def test_what_is_shown_and_what_is_commanded_know_no_flask() -> None:
    web = {"flask", "werkzeug", "flask_httpauth"}
    for part in WITHOUT_FLASK:
        assert {name.partition(".")[0] for name in imports_of(part)}.isdisjoint(web), part


def test_pages_actions_forms_and_api_do_not_import_each_other() -> None:
    for mine in APART:
        others = set().union(*APART) - mine
        for part in mine:
            known = {name.split(".")[1] for name in imports_of(part) if name.startswith("tickerq_dashboard.")}
            assert known.isdisjoint(others), part
