"""JSON that options take: as it is, from a file, or from standard input; and pairs of names and values."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tickerq_celery.errors import TickerValidationError

_HOW = "pass JSON, @FILE, or - for standard input"


class JsonInput(click.ParamType):  # type: ignore[type-arg] # generic since click 8.4
    """A value as JSON: the text itself, ``@file``, or ``-`` for standard input; of one ``kind``, if any."""

    name = "json"

    def __init__(self, kind: type | None = None) -> None:
        self._kind = kind

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            found = json.loads(_text(value))
        except (OSError, UnicodeDecodeError) as error:
            self.fail(f"{value}: {error}", param, ctx)
        except (ValueError, RecursionError) as error:
            self.fail(f"{_shortened(value)} is no JSON ({error}): {_HOW}", param, ctx)
        if self._kind is not None and not isinstance(found, self._kind):
            self.fail(f"{_shortened(value)} is no JSON {_KINDS[self._kind.__name__]}", param, ctx)
        return found


_KINDS = {"list": "list", "dict": "object"}


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if given.startswith("@"):
        return Path(given[1:]).read_text(encoding="utf-8")
    return given


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def object_of(pairs: Sequence[str]) -> dict[str, Any]:
    """Return the object that ``name=value`` pairs stand for; a value is JSON where it reads as that.

    Raises:
        TickerValidationError: One is no pair, or a name is there twice.
    """
    found: dict[str, Any] = {}
    for each in pairs:
        name, is_pair, value = each.partition("=")
        if not name or not is_pair:
            raise TickerValidationError("request", each, "pass KEY=VALUE pairs, or --request")
        if name in found:
            raise TickerValidationError("request", each, f"{name} is there twice")
        found[name] = _value_in(value)
    return found


def _value_in(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
