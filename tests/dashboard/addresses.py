"""The address of every page of the dashboard, over a store that has something to show on each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from flask import Flask

from tickerq_dashboard.routes import ROUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """What the pages of single objects are of: runs, cron tickers, a bulk job, and two names."""

    failed: UUID
    waiting: UUID
    upcoming: UUID
    running: UUID
    call: UUID
    chain: UUID
    cron: UUID
    paused_cron: UUID
    edited_cron: UUID
    job: UUID
    function: str
    cron_function: str
    tag: str


def addresses(of: Objects) -> dict[str, str]:
    """Return the address of each page below the base path, by a name of the page."""
    return {
        **_of_runs(of),
        **_of_crons(of),
        **_of_operations(of),
        **{f"run-{slug}": f"/runs/{run}/{slug}" for slug, run in _asked_of_runs(of).items()},
        **{f"cron-{slug}": f"/crons/{cron}/{slug}" for slug, cron in _asked_of_crons(of).items()},
    }


def pages_of_the_route_table() -> set[str]:
    """Return the names of all rows that a browser shows as a page."""
    return {
        route.name
        for route in ROUTES
        if route.method == "GET" and not route.is_api and route.permission is not None
    } - {"static"}


def rows_of(app: Flask, base: str, paths: Iterable[str]) -> set[str]:
    """Return the names of the rows of the route table that answer the addresses."""
    urls = app.url_map.bind("localhost")
    endpoints = {str(urls.match(base + urlsplit(path).path, "GET")[0]) for path in paths}
    return {endpoint.rpartition(".")[2] for endpoint in endpoints}


def _asked(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"


def _of_runs(of: Objects) -> Mapping[str, str]:
    return {
        "runs-history": "/runs",
        "runs-now": "/runs/active",
        "runs-upcoming": "/runs/upcoming",
        "runs-filtered": "/runs?status=failed&type=time",
        "runs-no-match": "/runs?function=Nothing&tag=eu",
        "runs-of-tag": _asked("/runs/active", tag=of.tag),
        "run-failed": f"/runs/{of.failed}",
        "run-waiting": f"/runs/{of.waiting}",
        "run-running": f"/runs/{of.running}",
        "run-call": f"/runs/{of.call}",
        "chain": f"/chains/{of.chain}",
        "chain-none": f"/chains/{of.waiting}",
        "chain-cancel-rest": f"/chains/{of.chain}/cancel-rest",
        "chain-retry-failed": f"/chains/{of.chain}/retry-failed",
        "run-new": _asked("/runs/new", function=of.function),
        "run-clone": f"/runs/{of.failed}/clone",
        "run-edit": f"/runs/{of.upcoming}/edit",
        "bulk-jobs": "/bulk",
        "bulk-job": f"/bulk/{of.job}",
    }


def _of_crons(of: Objects) -> Mapping[str, str]:
    return {
        "crons": "/crons",
        "cron": f"/crons/{of.cron}",
        "cron-backfill": f"/crons/{of.cron}/backfill",
        "cron-new": _asked("/crons/new", function=of.cron_function),
        "cron-edit": f"/crons/{of.edited_cron}/edit",
        "upcoming": "/upcoming",
    }


def _of_operations(of: Objects) -> Mapping[str, str]:
    return {
        "overview": "/",
        "errors": "/errors",
        "find": "/find?q=r",
        "functions": "/functions",
        "function": f"/functions/{quote(of.function)}",
        "pauses": "/pauses",
        "pause-function": _asked("/pauses/pause", kind="function", name=of.function),
        "pause-everything": "/pauses/pause",
        "resume-tag": _asked("/pauses/resume", kind="tag", name=of.tag),
        "nodes": "/nodes",
        "health": "/health",
        "settings": "/settings",
        "audit": "/audit",
        "help": "/help",
        "reference": "/api",
        "logout": "/logout",
        "missing": "/nope",
    }


def _asked_of_runs(of: Objects) -> Mapping[str, UUID]:
    """Return what a page asks before it is done to a run, and a run of which it can be done."""
    return {
        "delete": of.failed,
        "terminate": of.running,
        "cancel": of.running,
        "mark-failed": of.running,
        "release": of.running,
        "run-now": of.upcoming,
        "retry": of.failed,
    }


def _asked_of_crons(of: Objects) -> Mapping[str, UUID]:
    """Return what a page asks before it is done to a cron ticker, and one of which it can be done."""
    return {
        "delete": of.cron,
        "revert": of.edited_cron,
        "skip-next": of.cron,
        "pause": of.cron,
        "resume": of.paused_cron,
        "run-now": of.cron,
        "unskip-next": of.cron,
    }
