"""The fields of a cron expression as fields of the form, kept in step with the one text."""

from collections.abc import Mapping
from typing import NamedTuple

# The expression that the fields were made of: what differs from it was changed by the sender.
MADE_OF = "cron_of"
_PREFIX = "cron_"
# In the order of the expression; the first may be missing there.
_LABELS = {
    "second": "Second",
    "minute": "Minute",
    "hour": "Hour",
    "day": "Day of month",
    "month": "Month",
    "weekday": "Day of week",
}
_NAMES = tuple(_PREFIX + name for name in _LABELS)
_ANY = "*"


class Part(NamedTuple):
    """One field of an expression: its name in the form, its label, and what it holds."""

    name: str
    label: str
    text: str


def parts_of(expression: str) -> list[Part]:
    """Return the fields of an expression; they are empty where it has others, such as ``@daily``."""
    texts = _split(expression)
    return [
        Part(name, label, text) for name, label, text in zip(_NAMES, _LABELS.values(), texts, strict=True)
    ]


def in_step(sent: Mapping[str, str]) -> dict[str, str]:
    """Return what a form sent with the expression that its fields mean, and without these.

    They count where the sender changed one of them, and not the expression itself.
    """
    texts = {name: text for name, text in sent.items() if name not in {*_NAMES, MADE_OF}}
    made_of = sent.get(MADE_OF, "")
    written = tuple("".join(sent.get(name, "").split()) for name in _NAMES)
    is_changed = set(_NAMES) <= sent.keys() and written != _split(made_of) and any(written)
    if is_changed and texts.get("expression", "").split() == made_of.split():
        texts["expression"] = _joined(written)
    return texts


def _split(expression: str) -> tuple[str, ...]:
    fields = expression.split()
    if len(fields) == len(_NAMES) - 1:
        return ("", *fields)
    return tuple(fields) if len(fields) == len(_NAMES) else ("",) * len(_NAMES)


def _joined(fields: tuple[str, ...]) -> str:
    second, *others = fields
    return " ".join([*([second] if second else []), *(each or _ANY for each in others)])
