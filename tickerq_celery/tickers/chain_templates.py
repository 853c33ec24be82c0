"""A cron ticker's chain as JSON: a list of its tickers, each after its parent, named by its place."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from tickerq_celery.enums import RunCondition, TickerPriority
from tickerq_celery.errors import TickerValidationError
from tickerq_celery.payload.codec import Packed, RequestCodec, StoredRequest
from tickerq_celery.tickers.chains import ChainNode
from tickerq_celery.tickers.inputs import TimeTicker

Template = Sequence[Mapping[str, Any]]
# Of a child's row: what each of its copies has in common.
_KEPT = (
    "function", "description", "encoding", "retries", "retry_intervals", "timeout", "hard_timeout",
    "priority", "queue", "concurrency_key", "tags", "run_condition", "has_children",
)  # fmt: skip


def template_of(
    nodes: Sequence[ChainNode], rows: Sequence[Mapping[str, Any]], *, limit: int
) -> Template | None:
    """Return the template of a chain whose tickers are ``nodes`` and would be stored as ``rows``.

    Raises:
        TickerValidationError: It takes more than ``limit`` bytes as JSON.
    """
    if not nodes:
        return None
    template = [_entry(node, row) for node, row in zip(nodes, rows, strict=True)]
    size = len(json.dumps(template, separators=(",", ":")))
    if size > limit:
        raise TickerValidationError("children", size, f"a chain takes at most {limit} bytes as JSON")
    return template


def check_template(node: ChainNode) -> None:
    """Refuse what a child of a cron ticker cannot have, since each occurrence gets a copy.

    Raises:
        TickerValidationError: It has a moment, or a unique key.
    """
    if node.ticker.execution_time is not None:
        raise TickerValidationError(
            f"{node.path}.execution_time",
            node.ticker.execution_time,
            "the children of a cron ticker have no moment of their own",
        )
    if node.ticker.unique_key is not None:
        raise TickerValidationError(
            f"{node.path}.unique_key",
            node.ticker.unique_key,
            "each occurrence has a copy of the chain, and the key would be taken",
        )


def copies(template: Template | None) -> list[dict[str, Any]]:
    """Return the columns of a new copy of the chain, with each ticker's ``parent`` as its place, or None."""
    return [{**entry, "request": _bytes(entry)} for entry in template or ()]


def tickers_in(template: Template | None, codec: RequestCodec) -> tuple[TimeTicker, ...]:
    """Return the chain as it could be passed again: the children of the head, with theirs.

    Raises:
        UnreadableRequestError: A request is encrypted, and no key of this process fits.
    """
    children: dict[int | None, list[TimeTicker]] = {}
    for place, entry in reversed(list(enumerate(template or ()))):
        below = tuple(reversed(children.pop(place, [])))
        children.setdefault(entry["parent"], []).append(_ticker(entry, below, codec))
    return tuple(reversed(children.get(None, [])))


def _entry(node: ChainNode, row: Mapping[str, Any]) -> dict[str, Any]:
    request = row["request"]
    return {
        **{name: row[name] for name in _KEPT},
        "parent": node.parent,
        "request": None if request is None else b64encode(request).decode(),
    }


def _bytes(entry: Mapping[str, Any]) -> bytes | None:
    return None if entry["request"] is None else b64decode(entry["request"])


def _ticker(entry: Mapping[str, Any], children: Sequence[TimeTicker], codec: RequestCodec) -> TimeTicker:
    request = StoredRequest(Packed(_bytes(entry), entry["encoding"]), codec)
    condition = entry["run_condition"]
    return TimeTicker(
        function=entry["function"],
        request=request.value,
        description=entry["description"],
        retries=entry["retries"],
        retry_intervals=tuple(entry["retry_intervals"]),
        timeout=entry["timeout"],
        hard_timeout=entry["hard_timeout"],
        priority=TickerPriority(entry["priority"]),
        queue=entry["queue"],
        concurrency_key=entry["concurrency_key"],
        tags=tuple(entry["tags"]),
        run_condition=None if condition is None else RunCondition(condition),
        children=children,
    )
