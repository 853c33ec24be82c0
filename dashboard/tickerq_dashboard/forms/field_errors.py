"""Errors by the field that they stand beside, in words for people who fill in forms."""

import re
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from tickerq_celery.errors import TickerValidationError, UnknownFunctionError
from tickerq_dashboard.problem_details import path_of

FORM = ""
_CHILD = re.compile(r"((?:children\.\d+\.)*)(.*)", re.DOTALL)
# How a field is called in forms, where that differs.
_SHOWN_AS = {"task": "function", "execution_time": "at", "children": FORM}
# The core's words are for code.
_PLAIN = (
    ("must be a timedelta or seconds, ", "must be "),
    ("must be a timedelta or seconds", "must be a time, such as 30 s or 5 min"),
    ("pass a list of str", "write words with commas between them"),
    ("pass a cron expression or every, not both", "choose a cron expression or an interval, not both"),
    ("pass one of ", "choose one of "),
    ("; None means no limit", ""),
    ("; None means never", ""),
    ("Input should be None", "The function takes none: leave it empty"),
)
_OF_TYPES: Mapping[str, str] = {
    "missing": "This is needed.",
    "int_parsing": "Write a whole number.",
    "int_type": "Write a whole number.",
    "int_from_float": "Write a whole number.",
    "greater_than_equal": "{ge:,} or more.",
    "less_than_equal": "{le:,} at most.",
    "string_too_long": "{max_length:,} characters at most.",
    "string_too_short": "This is needed.",
    "too_long": "{max_length:,} at most.",
    "literal_error": "Choose one of the list.",
    "time_delta_parsing": "Write a time such as 30 s or 5 min.",
}
Errors = dict[str, str]


def of_model(error: ValidationError) -> Errors:
    """Return what a command's model refuses, without the values: those may be secrets."""
    found: Errors = {}
    for each in error.errors(include_input=False, include_url=False):
        field, rest = _placed(".".join(map(str, each["loc"])))
        said = _OF_TYPES.get(each["type"], "{msg}.").format(**{**each.get("ctx", {}), "msg": each["msg"]})
        found.setdefault(field, f"{rest}: {said}" if rest else said)
    return found


def of_core(error: TickerValidationError) -> Errors:
    """Return what the core refuses; of a field with several misfits a line each."""
    found: Errors = {}
    for field, said in _placed_in(error):
        found[field] = f"{found[field]}\n{said}" if field in found else said
    return found


def each_of_core(error: TickerValidationError) -> Iterator[str]:
    """Yield what the core refuses of one field, each with its path within that."""
    yield from (said for _, said in _placed_in(error))


def _placed_in(error: TickerValidationError) -> Iterator[tuple[str, str]]:
    for each in (error, *error.others):
        field, rest = _placed(path_of(each.field))
        said = _sentence(_in_plain_words(each))
        yield field, f"{rest}: {said}" if rest else said


def _in_plain_words(error: TickerValidationError) -> str:
    if isinstance(error, UnknownFunctionError):
        return error.reason.partition("; ")[0]
    reason = error.reason
    for theirs, ours in _PLAIN:
        reason = reason.replace(theirs, ours)
    return reason


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:] + ("" if reason.endswith((".", "?", "!")) else ".")


def _placed(path: str) -> tuple[str, str]:
    """Return the form's field that a path leads to, and the rest of the path within its value."""
    found = _CHILD.fullmatch(path)
    prefix, inner = ("", path) if found is None else (found[1], found[2])
    leaf, _, rest = inner.partition(".")
    shown = _SHOWN_AS.get(leaf, leaf)
    return (prefix + shown if shown or not prefix else f"{prefix}function"), rest
