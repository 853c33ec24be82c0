"""A cron ticker's chain as JSON: a list of its tickers, each after its parent, named by its index."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_type_hints

from tickerq_celery.enums import OnLost, RunCondition, TickerKind, TickerPriority
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.celery_call import call_in
from tickerq_celery.payload.codec import Packed, RequestCodec, StoredRequest
from tickerq_celery.tickers.chains import ChainNode
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.kind_fields import OF_FUNCTIONS
from tickerq_celery.tickers.timeouts import seconds_in
from tickerq_celery.tickers.work import WORK_FIELDS, Work

# JSON, as the table of cron tickers holds it.
Entry = Mapping[str, Any]
Template = Sequence[Entry]
# What each copy of a ticker has in common, and JSON can hold as it is.
_DURATIONS = tuple(name for name, hint in get_type_hints(Work).items() if hint == timedelta | None)
_KEPT = tuple(
    name for name in WORK_FIELDS if name not in {"namespace", "request", "retry_intervals", *_DURATIONS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTicker:
    """A ticker of a chain; ``parent`` is its parent's index in the list, None for the head."""

    work: Work
    parent: int | None
    run_condition: RunCondition | None
    has_children: bool


def template_of(chain: Sequence[ChainTicker], *, limit: int) -> Template | None:
    """Return the template of a chain, parents first; None where it is empty.

    Raises:
        TickerValidationError: It takes more than ``limit`` bytes as JSON.
    """
    if not chain:
        return None
    template = [_entry(ticker) for ticker in chain]
    size = len(json.dumps(template, separators=(",", ":")))
    if size > limit:
        raise TickerValidationError("children", size, f"a chain takes at most {limit} bytes as JSON")
    return template


def check_template(node: ChainNode) -> None:
    """Refuse what a child of a cron ticker cannot have, since each occurrence gets a copy.

    Raises:
        TickerValidationError: It has a moment, or a unique key.
    """
    for name in ("execution_time", "delay"):
        if (value := getattr(node.ticker, name)) is not None:
            reason = "the children of a cron ticker have no moment of their own"
            raise TickerValidationError(f"{node.path}.{name}", value, reason)
    if node.ticker.unique_key is not None:
        raise TickerValidationError(
            f"{node.path}.unique_key",
            node.ticker.unique_key,
            "each occurrence has a copy of the chain, and the key would be taken",
        )


def copies(template: Template | None, *, namespace: str) -> list[ChainTicker]:
    """Return a new copy of the chain, parents first."""
    return [_copy(entry, namespace) for entry in template or ()]


def tickers_in(template: Template | None, codec: RequestCodec) -> tuple[TimeTicker, ...]:
    """Return the chain as it could be passed again: the children of the head, with theirs.

    Raises:
        UnreadableRequestError: A request is encrypted, and no key of this process fits.
    """
    children: dict[int | None, list[TimeTicker]] = {}
    for index, entry in reversed(list(enumerate(template or ()))):
        below = tuple(reversed(children.pop(index, [])))
        children.setdefault(entry["parent"], []).append(_ticker(entry, below, codec))
    return tuple(reversed(children.get(None, [])))


def _entry(ticker: ChainTicker) -> Entry:
    request, condition = ticker.work.request, ticker.run_condition
    return {
        **{name: getattr(ticker.work, name) for name in _KEPT},
        **{name: seconds_in(getattr(ticker.work, name)) for name in _DURATIONS},
        "retry_intervals": [each.total_seconds() for each in ticker.work.retry_intervals],
        "run_condition": condition,
        "has_children": ticker.has_children,
        "parent": ticker.parent,
        "request": None if request is None else b64encode(request).decode(),
    }


def _copy(entry: Entry, namespace: str) -> ChainTicker:
    kept = {name: entry[name] for name in _KEPT}
    kept |= {"tags": tuple(entry["tags"]), "kind": TickerKind(entry["kind"]), "on_lost": _on_lost(entry)}
    return ChainTicker(
        work=Work(
            namespace=namespace,
            request=_bytes(entry),
            **kept | _times(entry) | {"priority": TickerPriority(entry["priority"])},
        ),
        parent=entry["parent"],
        run_condition=_condition(entry),
        has_children=entry["has_children"],
    )


def _times(entry: Entry) -> dict[str, Any]:
    """Return the durations of an entry, by the names that a ticker and its row give them."""
    found: dict[str, Any] = {
        name: None if entry[name] is None else timedelta(seconds=entry[name]) for name in _DURATIONS
    }
    return found | {"retry_intervals": tuple(timedelta(seconds=each) for each in entry["retry_intervals"])}


def _bytes(entry: Entry) -> bytes | None:
    return None if entry["request"] is None else b64decode(entry["request"])


def _condition(entry: Entry) -> RunCondition | None:
    condition = entry["run_condition"]
    return None if condition is None else RunCondition(condition)


def _on_lost(entry: Entry) -> OnLost | None:
    return None if entry["on_lost"] is None else OnLost(entry["on_lost"])


def _ticker(entry: Entry, children: Sequence[TimeTicker], codec: RequestCodec) -> TimeTicker:
    request = StoredRequest(Packed(_bytes(entry), entry["encoding"]), codec)
    is_task = entry["kind"] == TickerKind.CELERY_TASK
    return TimeTicker(
        **(_of_task(entry, request) if is_task else _of_function(entry, request)),
        description=entry["description"],
        priority=TickerPriority(entry["priority"]),
        queue=entry["queue"],
        tags=tuple(entry["tags"]),
        run_condition=_condition(entry),
        children=children,
    )


def _of_function(entry: Entry, request: StoredRequest) -> dict[str, Any]:
    kept = {name: entry[name] for name in OF_FUNCTIONS if name in _KEPT}
    return {"function": entry["function"], "request": request.value, **kept, **_times(entry)}


def _of_task(entry: Entry, request: StoredRequest) -> dict[str, Any]:
    call = call_in(request)
    of_column = {} if entry["task_id"] is None else {"task_id": entry["task_id"]}
    return {
        "task": entry["function"],
        "args": call.args,
        "kwargs": call.kwargs,
        "options": call.options | of_column,
        "on_lost": _on_lost(entry),
    }
