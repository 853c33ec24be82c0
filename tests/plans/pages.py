"""The dashboard's pages that read the store, and what a bulk action counts before it asks."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from tests.plans.audited import RARE_ACTOR
from tests.plans.history import BUSY_CRON, COMMON, RARE, RARE_NODE
from tests.plans.stored import Read
from tests.plans.visiting import older_page, page, page_with_report
from tests.plans.writing import id_of
from tickerq_celery import TickerStatus

# What an address of the lists of runs may ask; moments are those of things.py.
_FILTERS: tuple[Mapping[str, object], ...] = (
    {},
    {"status": "failed"},
    {"status": "failed,cancelled"},
    {"status": "published"},
    {"function": COMMON},
    {"function": RARE},
    {"function": RARE, "status": "failed"},
    {"function_prefix": "shop.gone"},
    {"type": "time"},
    {"queue": "mail"},
    {"tag": "eu"},
    {"tag": "gone"},
    {"node": RARE_NODE},
    {"node": "gone"},
    {"error_type": "builtins.OSError"},
    {"error": "no such text"},
    {"held_for": "paused"},
    {"held_for": "limit", "function": COMMON},
    {"origin": "chain"},
    {"origin": "misfire"},
    {"task_id": "gone"},
    {"priority": "high", "outcome_known": "0"},
    {"parent_id": id_of(1_006)},
    {"execution_from": "{hour_later}"},
    {"unique_key": "gone"},
    {"concurrency_key": "gone"},
    {"min_attempts": 5},
    {"min_elapsed": "9s"},
    {"min_elapsed": "99s"},
    {"is_late": "1"},
    {"due": "1"},
    {"cron_ticker_id": BUSY_CRON},
    {"root_id": id_of(1_006)},
    {"ended_from": "{middle}"},
    {"ended_until": "{middle}"},
    {"ended_from": "{middle}", "ended_until": "{hour_later}", "status": "failed"},
)
_OF_CRONS: tuple[Mapping[str, object], ...] = (
    {},
    {"order": "name"},
    {"prefix": "shop.f1"},
    {"state": "enabled"},
    {"state": "paused"},
    {"state": "failing"},
    {"state": "failing", "order": "name"},
    {"state": "failing", "tag": "gone"},
    {"source": "code"},
    {"source": "created", "state": "paused"},
    {"tag": "gone"},
)
_OF_AUDIT: tuple[Mapping[str, object], ...] = (
    {},
    {"actor": RARE_ACTOR},
    {"actor": "user-1", "outcome": "refused"},
    {"action": "gone"},
    {"kind": "cron_ticker"},
    {"kind": "cron_ticker", "object": BUSY_CRON},
    {"kind": "run", "object": "gone"},
    {"until": "{middle}"},
)
# An id, digits that begin some, names of all that has one, what names nothing, and a text of an error.
_FOUND = (
    *("", "{ended}", "{cron}", "{planned}", "00000000", "F1", "shop f1", "OSError", "worker-7", "zzz"),
    *("status:failed", "cannot connect to db:5432"),
)
_OTHERS = (
    *("/", "/?window=7d", "/?window=30d", "/errors", "/errors?window=7d", "/errors?window=30d"),
    *("/upcoming", "/upcoming?hours=168", f"/upcoming?function={RARE}"),
    "/upcoming?since={middle}&until={hour_later}",
    *("/functions", "/functions?prefix=shop.f1", f"/functions/{COMMON}", f"/functions/{COMMON}?window=30d"),
    *("/nodes", "/health", "/pauses", "/bulk", "/settings", "/help", "/api", "/logout", "/livez"),
    *(f"/runs/{{{run}}}" for run in ("ended", "failed", "planned")),
    *("/chains/{ended}", "/crons/{cron}", "/crons/{new_cron}", "/bulk/{bulk_job}"),
)
_WITH_REPORT = ("/", "/health", "/api/v1/health", "/api/v1/pulse", "/readyz", "/healthz")
# Of which single runs can be counted, by the lists that have them.
_COUNTED: Mapping[str, Mapping[str, Any]] = {
    "of all that failed": {"status": TickerStatus.FAILED},
    "of a common function's": {"status": TickerStatus.FAILED, "function": COMMON},
    "of a rare function's": {"status": TickerStatus.FAILED, "function": RARE},
    "of a busy cron ticker's": {"status": TickerStatus.FAILED, "cron_ticker_id": BUSY_CRON},
    "of a node's": {"status": TickerStatus.FAILED, "node": "worker-3"},
    "of a rare node's": {"status": TickerStatus.FAILED, "node": RARE_NODE},
    "of an error's": {"status": TickerStatus.FAILED, "error_type": "builtins.OSError"},
    "of a tag's": {"status": TickerStatus.FAILED, "tag": "eu"},
    "of a tag that none has": {"status": TickerStatus.FAILED, "tag": "gone"},
}


def address(path: str, filters: Mapping[str, object]) -> str:
    """Return an address that asks for what filters say; what is in braces is filled in later."""
    return f"{path}?{urlencode(filters, safe='{}')}" if filters else path


def addresses() -> Iterator[str]:
    """Yield the addresses of pages that answer 200 in both namespaces."""
    for path in ("/runs", "/runs/active", "/runs/upcoming"):
        yield from (address(path, filters) for filters in _FILTERS)
    yield from (address("/crons", filters) for filters in _OF_CRONS)
    yield from (address("/audit", filters) for filters in _OF_AUDIT)
    yield from _OTHERS


def _counted(action: str, filters: Mapping[str, Any]) -> Read:
    return lambda tickerq, history: tickerq.bulk.count(action, as_of=history.until, **filters)


def _pages() -> Iterator[tuple[str, Read]]:
    for path in addresses():
        yield path, page(path)
    for words in _FOUND:
        # To the one thing that is meant, or to the list that has it.
        yield address("/find", {"q": words}), page(address("/find", {"q": words}), (200, 302))
    for path in (
        "/runs",
        "/runs?status=failed",
        "/runs/active",
        "/runs/upcoming",
        "/crons",
        "/functions",
        "/audit",
    ):
        yield f"{path}, older", older_page(path)
    # Of a function that no worker has, and of runs that are there while some are active.
    for path in (f"/functions/{RARE}", "/runs/{running}", "/runs/{held}"):
        yield path, page(path, (200, 404))
    yield "/nope", page("/nope", (404,))
    for path in _WITH_REPORT:
        yield f"{path}, with its report", page_with_report(path)


def _counts() -> Iterator[tuple[str, Read]]:
    for name, filters in _COUNTED.items():
        for action in ("retry", "delete"):
            yield f"count to {action} {name}", _counted(action, filters)
    yield "count to cancel all", _counted("cancel", {"status": TickerStatus.IDLE})


# Whose times are measured: lists, the pages that add figures up, and those of one thing.
TIMED = (
    "/",
    "/runs",
    "/runs?status=failed",
    f"/runs?function={COMMON}",
    "/runs?tag=gone",
    "/runs/active",
    "/runs/upcoming",
    "/crons",
    "/upcoming",
    "/errors",
    "/functions",
    "/nodes",
    "/audit",
    "/runs/{failed}",
    "/runs/{held}",
    "/runs/{running}",
    "/chains/{ended}",
    "/crons/{cron}",
    f"/functions/{COMMON}",
    "/runs?status=failed&error_type=builtins.OSError",
    "/runs?node=worker-3",
    "/runs/active?node=worker-1",
    "/bulk/{bulk_job}",
    "/audit?kind=run&object={ended}",
)
PAGES: Mapping[str, Read] = dict(_pages())
COUNTS: Mapping[str, Read] = dict(_counts())
