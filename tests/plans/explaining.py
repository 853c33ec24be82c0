"""What a statement that was really sent reads, by each database's own account."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

# Whose rows are as many as the history is long, or nearly.
LARGE = frozenset(
    {"tickerq_tickers", "tickerq_attempts", "tickerq_cron_tickers", "tickerq_rollups", "tickerq_audit"}
)
_SCANS, _SORTS = {"Seq Scan", "Parallel Seq Scan"}, {"Sort", "Incremental Sort"}
# With what bounds its time on MariaDB, and without what does so on PostgreSQL as a transaction begins.
_QUERY = re.compile(
    r"(?:SET STATEMENT .*? FOR )?([\s(]*(?:SELECT(?! set_config\()|WITH)\b.*)", re.IGNORECASE | re.DOTALL
)
_SETTING = re.compile(r"SET LOCAL (\w+) ")
_SQLITE_SCAN = re.compile(r"^SCAN (tickerq_\w+)(?! USING)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A statement as its driver got it, and the ``SET LOCAL`` that held for it."""

    statement: str
    parameters: Any
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many rows it read and sorted, and which large tables it read from end to end."""

    sent: Sent
    read: int
    sorted: int
    scanned: frozenset[str]
    shown: str


@contextmanager
def queries() -> Iterator[list[Sent]]:
    """Give a list that gets each query that this process sends meanwhile."""
    found: list[Sent] = []
    settings: dict[str, str] = {}

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if match := _SETTING.match(statement):
            settings[match[1]] = statement
        elif match := _QUERY.match(statement):
            sent = Sent(statement=match[1], parameters=parameters, settings=tuple(settings.values()))
            found.append(sent)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def explain(connection: Connection, sent: Sent) -> Plan:
    """Run a query again, and return what it read."""
    for setting in sent.settings:
        connection.exec_driver_sql(setting)
    return _BY_DIALECT[connection.dialect.name](connection, sent)


def _of_postgresql(connection: Connection, sent: Sent) -> Plan:
    found = _run(connection, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sent.statement}", sent.parameters)[0][
        0
    ]
    nodes = list(_nodes(found[0]["Plan"]))
    # Not of a bitmap's index: the table is read for the same rows.
    read = [_rows_read(node) for node in nodes if "Relation Name" in node]
    return Plan(
        sent=sent,
        read=round(sum(read)),
        sorted=round(max((_rows_sorted(node) for node in nodes if node["Node Type"] in _SORTS), default=0)),
        scanned=frozenset(node["Relation Name"] for node in nodes if node["Node Type"] in _SCANS) & LARGE,
        shown=json.dumps(found, indent=1),
    )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _rows_read(node: dict[str, Any]) -> float:
    kept = node["Actual Rows"]
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((kept + dropped) * node["Actual Loops"])


def _rows_sorted(node: dict[str, Any]) -> float:
    # Others are CTEs and subqueries, of which it needs the results.
    (below,) = (each for each in node["Plans"] if each["Parent Relationship"] == "Outer")
    return float(below["Actual Rows"] * below["Actual Loops"])


# Of all that it counts, which takes ten times as long to read.
_COUNTED_BY_MARIADB = (
    "SHOW SESSION STATUS WHERE Variable_name = 'Sort_rows' OR Variable_name LIKE 'Handler_read_%%'"
)


def _of_mariadb(connection: Connection, sent: Sent) -> Plan:
    connection.exec_driver_sql("FLUSH STATUS")
    _run(connection, sent.statement, sent.parameters)
    counted = {name: int(value) for name, value in connection.exec_driver_sql(_COUNTED_BY_MARIADB).all()}
    found = _run(connection, f"EXPLAIN {sent.statement}", sent.parameters)
    return Plan(
        sent=sent,
        read=sum(value for name, value in counted.items() if name.startswith("Handler_read_")),
        sorted=counted["Sort_rows"],
        scanned=frozenset(row.table for row in found if row.type in {"ALL", "index"} and not _is_bounded(row))
        & LARGE,
        shown="\n".join(map(str, found)),
    )


def _is_bounded(row: Any) -> bool:
    # The order of an index, up to a limit: what it read is counted.
    return row.type == "index" and "Using filesort" not in (row.Extra or "")


def _of_sqlite(connection: Connection, sent: Sent) -> Plan:
    found = _run(connection, f"EXPLAIN QUERY PLAN {sent.statement}", sent.parameters)
    lines = [row.detail for row in found]
    scanned = {match[1] for line in lines if (match := _SQLITE_SCAN.match(line))}
    return Plan(
        sent=sent,
        read=_steps(connection, lambda: _run(connection, sent.statement, sent.parameters)) // _STEPS_OF_A_ROW,
        sorted=0,
        scanned=frozenset(scanned) & LARGE,
        shown="\n".join(lines),
    )


# SQLite counts steps of its machine, and no rows: as many are taken to read one of a page, about.
_STEPS_OF_A_ROW, _EVERY = 100, 100


def _steps(connection: Connection, work: Callable[[], object]) -> int:
    driver: Any = connection.connection.driver_connection
    count = 0

    def note() -> None:
        nonlocal count
        count += _EVERY

    driver.set_progress_handler(note, _EVERY)
    try:
        work()
    finally:
        driver.set_progress_handler(None, 0)
    return count


def _run(connection: Connection, statement: str, parameters: Any) -> Sequence[Any]:
    return connection.exec_driver_sql(statement, parameters).all()


_BY_DIALECT: dict[str, Callable[[Connection, Sent], Plan]] = {
    "postgresql": _of_postgresql,
    "mysql": _of_mariadb,
    "mariadb": _of_mariadb,
    "sqlite": _of_sqlite,
}
