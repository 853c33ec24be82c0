"""The payloads of a form that changes something: secrets that it shows masked stay what they are."""

from collections.abc import Mapping
from typing import Any

from tickerq_celery import Cron, Run, TimeTicker
from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_dashboard.commands.work import PAYLOAD
from tickerq_dashboard.forms.masks import restored
from tickerq_dashboard.forms.reading import FormReader
from tickerq_dashboard.texts import Unreadable


def restored_payloads(
    values: dict[str, Any], stored: Cron | Run | None, reader: FormReader
) -> dict[str, Any]:
    """Return the values of a form with what was masked; a mask that stands elsewhere is an error of it."""
    children = values.get("children", [])
    shown, kept = _payloads_of(stored) if PAYLOAD & values.keys() else ({}, {})
    found = _restored(values, shown, kept, reader, "")
    if "children" in values:
        found["children"] = [
            _child(child, f"children.{at}.", stored, reader) for at, child in enumerate(children)
        ]
    return found


def _child(
    values: dict[str, Any], path: str, stored: Cron | Run | None, reader: FormReader
) -> dict[str, Any]:
    was = _at(stored.children, reader.text(f"{path}was")) if isinstance(stored, Cron) else None
    shown, kept = _of_child(was, stored)
    found = _restored(values, shown, kept, reader, path)
    if "children" in values:
        found["children"] = [
            _child(child, f"{path}children.{at}.", stored, reader)
            for at, child in enumerate(values["children"])
        ]
    return found


def _restored(
    values: Mapping[str, Any],
    shown: Mapping[str, Any],
    kept: Mapping[str, Any],
    reader: FormReader,
    path: str,
) -> dict[str, Any]:
    found = dict(values)
    for name in PAYLOAD & found.keys():
        try:
            found[name] = restored(found[name], shown.get(name), kept.get(name))
        except Unreadable as error:
            reader.errors[path + name] = str(error)
    return found


def _payloads_of(stored: Cron | Run | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the payload as it is shown and as it is kept; nothing where it cannot be read here."""
    if stored is None:
        return {}, {}
    try:
        return _parts(stored, stored.shown_request), _parts(stored, stored.request)
    except UnreadableRequestError:
        return {}, {}


def _parts(ticker: Cron | Run, request: Any) -> Mapping[str, Any]:
    is_call = isinstance(request, Mapping) and ticker.kind is TickerKind.CELERY_TASK
    return request if is_call else {"request": request}


def _of_child(child: TimeTicker | None, stored: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if child is None:
        return {}, {}
    kept = {name: getattr(child, name) for name in PAYLOAD}
    return {name: stored.stored_request.codec.shown(value) for name, value in kept.items()}, kept


def _at(children: Any, was: str) -> TimeTicker | None:
    """Return the stored child that one of the form was made from, by the path that it had."""
    found: TimeTicker | None = None
    for part in was.split(".") if was else ():
        if not part.isdigit() or int(part) >= len(children):
            return None
        found = children[int(part)]
        children = found.children
    return found
