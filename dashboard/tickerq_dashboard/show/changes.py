"""What an entry of the audit says of a change: each field that differs, before and after."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tickerq_celery.views import AuditEntry

NOTHING = "\N{EN DASH}"
# The pages' words for fields whose names are the field's jargon.
_FIELDS = {
    "misfire": "missed instants (misfire)",
    "misfire_limit": "missed instants at most (misfire_limit)",
    "misfire_grace": "missed instants late at most (misfire_grace)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A field that differs; ``object_id`` says of which of several objects."""

    object_id: str
    field: str
    before: str
    after: str


def changed_in(entry: AuditEntry) -> list[Changed]:
    """Return the fields that differ, of one object or of several; what was deleted has no values after."""
    before, after = _record(entry.before), _record(entry.after)
    # Of several objects, of which only one may differ: no field is called as an id is.
    if len(entry.ids) > 1 or any(map(_is_id, (*before, *after))):
        # What was skipped, and has no values before, comes first.
        each = dict.fromkeys((*after, *before))
        pairs = [(name, _record(before.get(name)), _record(after.get(name))) for name in each]
    else:
        pairs = [("", before, after)]
    return [found for name, was, is_now in pairs for found in _differing(name, was, is_now)]


def changes_in_words(entry: AuditEntry) -> str:
    """Return the same in a line: "expression 0 9 * * * → 0 10 * * *, time_zone UTC → Europe/Berlin"."""
    return ", ".join(map(_in_words, changed_in(entry)))


def _in_words(changed: Changed) -> str:
    # What was made has no values before.
    before = () if changed.before == NOTHING else (changed.before, "→")
    field = _FIELDS.get(changed.field, changed.field)
    return " ".join(part for part in (changed.object_id, field, *before, changed.after) if part)


def _differing(object_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Changed]:
    for field in dict.fromkeys((*before, *after)):
        yield Changed(
            object_id=object_id,
            field=field,
            before=_said(before.get(field)),
            after=_said(after.get(field)),
        )


def _record(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_id(name: str) -> bool:
    try:
        return bool(UUID(name))
    except ValueError:
        return False


def _said(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
