"""Rows as CSV that no spreadsheet takes for formulas, and as JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tickerq_dashboard.show.visible import plain

# What begins a formula in a spreadsheet, also after a blank or a line break that it drops.
_FORMULA = tuple("=+-@\t\r\n \uff1d\uff0b\uff0d\uff20")
Row = Mapping[str, Any]


def csv_lines(fields: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield rows as lines of CSV below their fields; a list is a text with commas, other values are JSON."""
    names = list(fields)
    yield _line(names)
    for row in rows:
        yield _line([_cell(row.get(name)) for name in names])


def json_lines(fields: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield rows as lines of JSON in ASCII."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n"


FORMATS: Mapping[str, tuple[str, Callable[[Iterable[str], Iterable[Row]], Iterator[str]]]] = {
    "csv": ("text/csv", csv_lines),
    "jsonl": ("application/x-ndjson", json_lines),
}


def _line(cells: list[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    text = plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return f"'{text}" if text.startswith(_FORMULA) else text
