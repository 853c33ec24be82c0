"""What programs read from the API: each of its routes, and what it may be asked for."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from tests.plans.history import COMMON, RARE
from tests.plans.pages import address
from tests.plans.stored import Read
from tests.plans.visiting import page

_ROOT = "/api/v1"
# As many rows as an answer may have; pages, which ask for the same with every filter, have fifty.
_MOST = {"limit": 200}
_FILTERS: tuple[Mapping[str, object], ...] = (
    {},
    {"status": "failed"},
    {"function": RARE},
    {"tag": "gone"},
    {"min_attempts": 5},
    {"held_for": "paused"},
    {"ended_from": "{middle}", "ended_until": "{hour_later}"},
)
_OF_RUNS = ("", "/attempts", "/log", "/explanation", "/payload", "/result")
_OF_CRONS = ("", "/occurrences?limit=200", "/figures", "/instants?count=50", "/payload")
_OTHERS = (
    *("/openapi.json", "/pulse", "/bulk", "/nodes", "/pauses", "/health", "/settings"),
    *("/crons?limit=200", "/crons?limit=200&order=name&state=failing", "/crons?limit=200&tag=gone"),
    *("/functions?limit=200", f"/functions/{quote(COMMON)}", "/audit?limit=200", "/audit?action=gone"),
    *("/upcoming?limit=2000", "/upcoming?limit=2000&hours=168", f"/upcoming?limit=2000&function={RARE}"),
    *("/errors?limit=200", "/errors?limit=200&window=30d"),
    *(f"/stats/{name}{asked}" for name in ("throughput", "durations", "lag") for asked in ("", "?window=7d")),
    *(f"/stats/{name}?window=30d&function={COMMON}" for name in ("throughput", "durations", "lag")),
    "/stats/throughput?window=30d",
    *("/chains/{ended}", "/bulk/{bulk_job}"),
)


def addresses() -> Iterator[str]:
    """Yield what answers 200 in both namespaces, below the root."""
    for path in ("/runs", "/runs/active", "/runs/upcoming"):
        yield from (address(path, {**filters, **_MOST}) for filters in _FILTERS)
    for run in ("ended", "failed", "planned"):
        yield from (f"/runs/{{{run}}}{part}" for part in _OF_RUNS)
    for cron in ("cron", "new_cron"):
        yield from (f"/crons/{{{cron}}}{part}" for part in _OF_CRONS)
    yield from _OTHERS


def _answers() -> Iterator[tuple[str, Read]]:
    for path in addresses():
        yield _ROOT + path, page(_ROOT + path)
    # Of what is not there, or only while some runs are active.
    for path in (f"/functions/{RARE}", "/runs/{running}/explanation", "/runs/{held}/explanation"):
        yield _ROOT + path, page(_ROOT + path, (200, 404))


ANSWERS: Mapping[str, Read] = dict(_answers())
