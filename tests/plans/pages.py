"""The dashboard's pages that read the store, and what a bulk action counts before it asks."""

import gc
import math
import re
import time
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from flask.testing import FlaskClient

from tests.plans.history import BIG, BUSY_CRON, COMMON, NEW_CRON, RARE, RARE_NODE, History
from tests.plans.stored import Read
from tests.plans.writing import id_of
from tickerq_celery import TickerQ, TickerStatus
from tickerq_dashboard import User, create_app
from tickerq_dashboard.health import HealthWatch, KnownReport
from tickerq_dashboard.reading.cache import MomentCache
from tickerq_dashboard.serving import freeze_heap

BASE = "/tickerq/dashboard"
# What an address of the lists of runs may ask.
_FILTERS: tuple[Mapping[str, object], ...] = (
    {},
    {"status": "failed"},
    {"status": "failed,cancelled"},
    {"function": COMMON},
    {"function": RARE},
    {"function": RARE, "status": "failed"},
    {"prefix": "shop.gone"},
    {"type": "time"},
    {"queue": "mail"},
    {"tag": "eu"},
    {"tag": "gone"},
    {"node": RARE_NODE},
    {"node": "gone"},
    {"error_type": "builtins.OSError"},
    {"error": "no such text"},
    {"late": "1"},
    {"cron": BUSY_CRON},
    {"chain": id_of(1_006)},
)
_OF_CRONS: tuple[Mapping[str, object], ...] = (
    {},
    {"order": "name"},
    {"prefix": "shop.f1"},
    {"state": "paused"},
    {"tag": "gone"},
)
_OTHERS = (
    *("/", "/?window=7d", "/?window=30d", "/errors", "/errors?window=7d", "/errors?window=30d"),
    *("/upcoming", "/upcoming?hours=168", f"/upcoming?function={RARE}"),
    *("/functions", f"/functions/{COMMON}", "/functions?prefix=shop.f1"),
    *("/find?q=F1", "/find?q=shop%20f1"),
    *("/nodes", "/health", "/pauses", "/bulk", "/audit", "/settings"),
)
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


def client_of(tickerq: TickerQ) -> FlaskClient:
    """Return a browser of an admin, with a dashboard that has read nothing yet."""
    app = create_app(tickerq, auth=lambda request: User(name="ann", role="admin"), secret="0123456789abcdef")
    return app.test_client()


def show(client: FlaskClient, path: str) -> str:
    """Return a page's HTML, without the health report, which a thread of its own reads each five seconds."""
    with patch.object(HealthWatch, "look", lambda *_: KnownReport(report=None, age=0.0)):
        answer = client.get(BASE + path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text


def older(html: str) -> str | None:
    """Return where a list's page leads to for what is older, if there is any."""
    found = re.search(r'rel="next" href="([^"]+)"', html)
    return None if found is None else unescape(found[1]).removeprefix(BASE)


def slowest_of(tickerq: TickerQ, path: str, requests: int = 20) -> float:
    """Return how many milliseconds a page takes the server, in 19 of 20 requests at most: each reads anew."""
    client = client_of(tickerq)
    show(client, path)  # compiles the templates
    freeze_heap()
    took = []
    with patch.object(MomentCache, "_is_old", lambda *_: True):
        for _ in range(requests):
            began = time.perf_counter()
            show(client, path)
            took.append(1_000 * (time.perf_counter() - began))
    gc.unfreeze()
    return sorted(took)[math.ceil(0.95 * requests) - 1]


def _page(path: str) -> Read:
    return lambda tickerq, history: show(client_of(tickerq), path)


def _older_page(path: str) -> Read:
    def read(tickerq: TickerQ, history: History) -> object:
        client = client_of(tickerq)
        following = older(show(client, path))
        return None if following is None else show(client, following)

    return read


def _page_of_own(big: str, small: str) -> Read:
    """Return a read of a page of one thing, of which each namespace has its own."""

    def read(tickerq: TickerQ, history: History) -> object:
        return show(client_of(tickerq), big if tickerq.config.namespace == BIG else small)

    return read


def _counted(action: str, filters: Mapping[str, Any]) -> Read:
    return lambda tickerq, history: tickerq.bulk.count(action, as_of=history.until, **filters)


def addresses() -> Iterator[str]:
    """Yield the addresses of the pages that both namespaces have."""
    for path in ("/runs", "/runs/active", "/runs/upcoming"):
        yield from (f"{path}?{urlencode(filters)}" for filters in _FILTERS)
    yield from (f"/crons?{urlencode(filters)}" for filters in _OF_CRONS)
    yield from _OTHERS


def _pages() -> Iterator[tuple[str, Read]]:
    for path in addresses():
        yield path, _page(path)
    for path in ("/runs", "/runs?status=failed", "/runs/active", "/runs/upcoming", "/crons", "/functions"):
        yield f"{path}, older", _older_page(path)
    yield "a run", _page_of_own(f"/runs/{id_of(1_007)}", f"/runs/{id_of(5_057)}")
    yield "a chain", _page_of_own(f"/chains/{id_of(1_007)}", f"/chains/{id_of(5_057)}")
    yield "a busy cron ticker", _page_of_own(f"/crons/{BUSY_CRON}", f"/crons/{id_of(101)}")
    yield "a new cron ticker", _page_of_own(f"/crons/{NEW_CRON}", f"/crons/{id_of(9_999)}")


def _counts() -> Iterator[tuple[str, Read]]:
    for name, filters in _COUNTED.items():
        for action in ("retry", "delete"):
            yield f"count to {action} {name}", _counted(action, filters)
    yield "count to cancel all", _counted("cancel", {"status": TickerStatus.IDLE})


# Whose times are printed: lists, and the pages that add figures up.
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
)
PAGES: Mapping[str, Read] = dict(_pages())
COUNTS: Mapping[str, Read] = dict(_counts())
