"""A store that has something on every page, and whose texts are all hostile."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from sqlalchemy import Column, String, Table, select

from tests.dashboard.addresses import Objects
from tests.dashboard.hostile import BUNDLES
from tests.dashboard.seeds import Seeds
from tests.dashboard.showcase import Showcase
from tests.inner import Transaction
from tests.tables import (
    attempts,
    audit,
    bulk,
    cron_tickers,
    functions,
    logs,
    lost_nodes,
    nodes,
    pauses,
    tickers,
)
from tickerq_celery.store.tables.column_types import Json, Payload

_TABLES = (tickers, attempts, logs, cron_tickers, functions, nodes, lost_nodes, pauses, audit, bulk)
# Words of the code itself: no other text can get there.
_OWN = frozenset(
    (
        *("namespace", "kind", "misfire", "overlap", "on_lost", "held_for", "cancel_request", "origin"),
        *("action", "state", "outcome", "object_kind", "object_id", "active_key", "version"),
        *("functions_hash", "definitions_hash", "digest"),
    )
)
# Where one of them is hostile, the page shows less of the rest.
_EVERY_OTHER = frozenset({"expression", "seed_expression", "time_zone", "seed_time_zone", "rate_limit"})
_STAYS_EMPTY = frozenset({"hold_key", "seed_key", "task_id", "rate_limit"})


_REQUEST = json.dumps({text: [text, {text: text}] for text in BUNDLES}).encode()
_SCHEMA = {
    "type": "object",
    "title": BUNDLES[0],
    "description": BUNDLES[1],
    "required": list(BUNDLES),
    "properties": {text: {"type": "string", "enum": [text], "default": text} for text in BUNDLES},
}
_TRACEBACK = (
    f'Traceback (most recent call last):\n  File "{BUNDLES[0]}", line 1, in {BUNDLES[1]}\n    {BUNDLES[2]}\n'
    f'  File "/app.py", line 2, in {BUNDLES[3]}\n    {BUNDLES[4]}\nValueError: {BUNDLES[5]}\n'
)


class HostileTexts:
    """Gives each text another one, the same wherever it stands."""

    def __init__(self) -> None:
        self._numbers = count()
        self._given: dict[str, str] = {}

    def new(self) -> str:
        """Return a hostile text that has not been given yet."""
        number = next(self._numbers)
        return f"{BUNDLES[number % len(BUNDLES)]}{number}"

    def of(self, text: str) -> str:
        """Return what stands for a text."""
        prefix, colon, name = text.partition(":")
        if colon and prefix in {"tag", "function", "queue"}:
            return f"{prefix}:{self.of(name)}"
        if text not in self._given:
            self._given[text] = self.new()
        return self._given[text]

    def inside(self, column: str, value: Any) -> Any:
        """Return a JSON value of a column with other texts, where they are not the code's own words."""
        match column, value:
            case (("tags" | "queues"), list()):
                return [self.of(each) for each in value]
            case (("functions" | "definitions" | "skips"), dict()):
                return {self.of(name): each for name, each in value.items()}
            case (("before" | "after" | "wanted"), dict()):
                return {name: self._worded(name, each) for name, each in value.items()}
            case "lines", list():
                return [[at, level, self.new()] for at, level, _ in value]
            case "request_schema", _:
                return _SCHEMA
        return value

    def _worded(self, name: str, value: Any) -> Any:
        is_free = (
            isinstance(value, str) and not value[:4].isdigit() and name not in {"status", "type", "kind"}
        )
        return self.of(value) if is_free else value


def make_hostile(seeds: Seeds) -> Objects:
    """Write the showcase with hostile texts, and return what its pages are of."""
    shown = Showcase(seeds, runs=60)
    shown.beat()
    seeds.tickerq.pauses.pause(function="mail.carts.remind_basket", reason="later", by="ben")
    texts = HostileTexts()
    seeds.tickerq.core.write(_replace_texts, texts)
    given = shown.objects
    return replace(
        given,
        function=texts.of(given.function),
        cron_function=texts.of(given.cron_function),
        tag=texts.of(given.tag),
    )


def _replace_texts(tx: Transaction, texts: HostileTexts) -> None:
    for table in _TABLES:
        for number, row in enumerate(tx.execute(select(table)).mappings().all()):
            changes = dict(_changes(table, row, texts, is_other=number % 2 == 1))
            same = [column == row[column.name] for column in table.primary_key]
            tx.execute(table.update().where(*same).values(changes))


def _changes(
    table: Table, row: Mapping[str, Any], texts: HostileTexts, *, is_other: bool
) -> Iterator[tuple[str, Any]]:
    for column in table.columns:
        name, value = column.name, row[column.name]
        if name in _OWN or (name in _EVERY_OTHER and not is_other):
            continue
        if isinstance(column.type, Json):
            yield name, texts.inside(name, value)
        elif column.type is Payload:
            yield name, _REQUEST
        elif name == "traceback":
            yield name, _TRACEBACK
        elif isinstance(column.type, String) and not (value is None and name in _STAYS_EMPTY):
            yield name, _text(column, texts.new() if value is None else texts.of(value))


def _text(column: Column[Any], text: str) -> str:
    length = column.type.length if isinstance(column.type, String) else None
    return text if length is None else text[:length]
