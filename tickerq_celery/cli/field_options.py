"""Options that are made of the fields of a value: each takes what its field's type says, and has one text."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from inspect import isclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import click

from tickerq_celery.cli.ids import TickerId
from tickerq_celery.cli.json_input import JsonInput
from tickerq_celery.cli.words import Day, Span, Word

_LISTS = (Sequence, Collection)
_TYPES: Mapping[Any, Any] = {
    object: JsonInput(),
    Sequence[object]: JsonInput(list),
    Mapping[str, object]: JsonInput(dict),
    timedelta: Span(),
    date: Day(),
    int: click.INT,
    UUID: TickerId(),
}


@dataclass(frozen=True, slots=True)
class Text:
    """What people read of an option: its help, its word if that is not the field's name, and its value.

    A ``type`` reads the value where that of the field does not say enough.
    """

    help: str
    word: str = ""
    metavar: str | None = None
    type: Any = None


def options_of(
    kinds: Sequence[type], texts: Mapping[str, Text], types: Mapping[Any, Any]
) -> list[click.Option]:
    """Return an option for each field of these ``kinds`` that has a text, in the order of the texts.

    ``types`` read what is of a type that is not read alike everywhere.
    """
    hints = {name: hint for kind in kinds for name, hint in get_type_hints(kind).items()}
    return [_option(name, hints[name], text, {**_TYPES, **types}) for name, text in texts.items()]


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def _option(name: str, hint: Any, text: Text, types: Mapping[Any, Any]) -> click.Option:
    word = text.word or name.removeprefix("is_").replace("_", "-")
    kinds = list(_kinds(hint))
    if bool in kinds:
        return click.Option([f"--{word}/--not-{word}", name], default=None, help=text.help)
    several = next((each for each in kinds if get_origin(each) in _LISTS and each not in types), None)
    if several is not None:
        kinds = list(_kinds(*get_args(several)))
    return click.Option(
        [f"--{word}", name],
        type=text.type or next(filter(None, (_type_of(each, types) for each in kinds)), click.STRING),
        multiple=several is not None,
        metavar=text.metavar,
        help=text.help,
    )


def _kinds(hint: Any) -> Iterator[Any]:
    """Yield what a value may be."""
    if get_origin(hint) in (Union, UnionType):
        for each in get_args(hint):
            yield from _kinds(each)
    else:
        yield hint


def _type_of(kind: Any, types: Mapping[Any, Any]) -> Any:
    return Word(kind) if isclass(kind) and issubclass(kind, Enum) else types.get(kind)
