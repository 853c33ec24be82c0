"""The forms, which show what they would change, and lists that are taken along as files."""

from collections.abc import Callable, Iterator, Mapping
from unittest.mock import patch

from tests.plans.history import BUSY_CRON, COMMON, RARE, History
from tests.plans.stored import Read
from tests.plans.visiting import page, sent
from tickerq_celery import TickerQ
from tickerq_dashboard.api import exports
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.cron_actions import EVERY_CRON_ACTION
from tickerq_dashboard.show.run_actions import RUN_ACTIONS

# What only shows or takes along what is sent to it, by the names of the rows.
SENT = {
    "ask_bulk": "/bulk/ask",
    "ask_crons": "/crons/ask",
    "export_runs": "/runs/export",
    "export_audit": "/audit/export",
}
# One that cannot be used says why; what would run is there while some runs are active.
_ANSWERS = (200, 404, 409)
_SCOPES = (
    *("", f"?kind=function&name={COMMON}", f"?kind=function&name={RARE}"),
    *("?kind=tag&name=eu", "?kind=tag&name=gone"),
)
_NEW = ("/runs/new", f"/runs/new?function={COMMON}", "/crons/new", f"/crons/new?function={COMMON}")
# The first reads of a file: others are like them, up to 200.
_READS_OF_A_FILE = 5


def addresses() -> Iterator[str]:
    """Yield the addresses of forms."""
    yield from _NEW
    for run in ("failed", "planned", "running"):
        yield from (f"/runs/{{{run}}}/{slug}" for slug in ("clone", "edit"))
        yield from (f"/runs/{{{run}}}/{each.slug}" for each in RUN_ACTIONS)
    yield from (f"/chains/{{ended}}/{each.slug}" for each in CHAIN_ACTIONS)
    yield from (f"/crons/{{cron}}/{slug}" for slug in ("edit", "backfill"))
    yield from (f"/crons/{{cron}}/{each.slug}" for each in EVERY_CRON_ACTION)
    yield from (f"/pauses/{verb}{scope}" for verb in ("pause", "resume") for scope in _SCOPES)


def _selected() -> Iterator[tuple[str, Read]]:
    """Yield what asks before something is done to many."""
    for listing, action, words in (
        ("history", "retry", ""),
        ("history", "delete", f"function={COMMON}"),
        ("active", "cancel", ""),
        ("upcoming", "cancel", "tag=eu"),
    ):
        form = {"action": action, "listing": listing, "all": "1", "filter": words, "as_of": "{newest}"}
        yield f"/bulk/ask to {action} {listing} {words}", _sent("ask_bulk", **form)
    yield "/crons/ask", _sent("ask_crons", action="pause", ids=BUSY_CRON)


def _files() -> Iterator[tuple[str, Read]]:
    for listing in ("history", "active", "upcoming"):
        for words in (
            "",
            "status=failed",
            "tag=gone",
            f"function={RARE}",
            "ended_from={middle}&ended_until={hour_later}",
        ):
            name = f"{listing} as a file, {words or 'all'}"
            yield name, _file(_sent("export_runs", listing=listing, filter=words))
    for words in ("", "action=gone", "actor=user-1"):
        yield (
            f"the audit as a file, {words or 'all'}",
            _file(_sent("export_audit", filter=words)),
        )


def _sent(row: str, **fields: object) -> Read:
    # It may be that none is meant, or none of the first 10,000.
    answers = (200, 409, 422) if row.startswith("ask_") else (200,)
    return sent(row, SENT[row], answers, fields)


def _file(read: Callable[[TickerQ, History], object]) -> Read:
    def first(tickerq: TickerQ, history: History) -> object:
        with patch.object(exports, "MOST_READS", _READS_OF_A_FILE):
            return read(tickerq, history)

    return first


FORMS: Mapping[str, Read] = {path: page(path, _ANSWERS) for path in addresses()} | dict(_selected())
FILES: Mapping[str, Read] = dict(_files())
