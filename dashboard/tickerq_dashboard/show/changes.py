"""What an entry of the audit says of a change: each field that differs, before and after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tickerq_celery.views import AuditEntry
from tickerq_dashboard.show.field_words import field_words, value_words
from tickerq_dashboard.show.ids import is_id, short_id

NOTHING = "\N{EN DASH}"
_OF_ENTRY = frozenset({"kind", "name", "reason"})


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
    if len(entry.ids) > 1 or any(map(is_id, (*before, *after))):
        # What was skipped, and has no values before, comes first.
        each = dict.fromkeys((*after, *before))
        pairs = [(name, _record(before.get(name)), _record(after.get(name))) for name in each]
    else:
        pairs = [("", before, after)]
    return [found for name, was, is_now in pairs for found in _differing(name, was, is_now)]


def changes_in_words(entry: AuditEntry) -> str:
    """Return the same in a line: "expression 0 9 * * * → 0 10 * * *, time zone UTC → Europe/Berlin"."""
    return ", ".join(_in_words(each) for each in changed_in(entry) if not _is_said(each, entry))


def _is_said(changed: Changed, entry: AuditEntry) -> bool:
    # Of a pause the entry itself says what is paused, and why.
    said = {NOTHING, entry.object_kind, entry.object_id, entry.reason}
    return changed.field in _OF_ENTRY and {changed.before, changed.after} <= said


def _in_words(changed: Changed) -> str:
    # What was made has no values before.
    before = () if changed.before == NOTHING else (changed.before, "→")
    which = short_id(changed.object_id)
    return " ".join(part for part in (which, field_words(changed.field), *before, changed.after) if part)


def _differing(object_id: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Changed]:
    for field in dict.fromkeys((*before, *after)):
        was, is_now = (value_words(field, each.get(field)) or NOTHING for each in (before, after))
        if was != is_now:
            yield Changed(object_id=object_id, field=field, before=was, after=is_now)


def _record(value: Any) -> Mapping[str, Any]:
    found = value if isinstance(value, Mapping) else {}
    # Of a bulk job both say which runs it means: its filters have words of the pages.
    return {name: each for name, each in found.items() if name != "what" or "filters" not in found}
