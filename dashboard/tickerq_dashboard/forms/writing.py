"""From what is stored to the texts of a form."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tickerq_celery import Cron, Run, TimeTicker
from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.views import StoredRequest
from tickerq_dashboard.forms.chain import prefix_of
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.json_tree import editable
from tickerq_dashboard.show.moments import zone_named

Texts = dict[str, str]
# With what the encoding of forms adds it stays within the body that the guard lets in.
LONGEST_PAYLOAD = 60_000


def texts_of_cron(cron: Cron, *, may_see: bool) -> Texts:
    """Return a cron ticker as the texts of its form; the payload only where one may see it."""
    place, _ = zone_named(cron.time_zone)
    texts = {
        **_options(cron),
        "schedule": "cron" if cron.every is None else "every",
        "expression": cron.expression if cron.every is None else "",
        "every": _span(cron.every),
        "time_zone": cron.time_zone,
        "day_or": _flag(cron.day_or),
        "start_at": _local(cron.start_at, place),
        "end_at": _local(cron.end_at, place),
        "max_runs": _whole(cron.max_runs),
        "exclude": ", ".join(each.isoformat() for each in cron.exclude),
        "jitter": _span(cron.jitter or None),
        "misfire": cron.misfire.value,
        "misfire_limit": str(cron.misfire_limit),
        "misfire_grace": _span(cron.misfire_grace),
        "overlap": cron.overlap.value,
        "pause_on_failure": _whole(cron.pause_on_failure),
    }
    if may_see:
        texts |= _payload(cron) | texts_of_chain(cron)
    return texts


def texts_of_run(run: Run, zone_name: str, *, may_see: bool) -> Texts:
    """Return a run as the texts of its form, its moment by the clocks of a zone."""
    texts = {
        **_options(run),
        "when": "keep",
        "delay": "",
        "at": _local(run.execution_time, zone_named(zone_name)[0]),
        "zone": zone_name,
        "unique_key": "",
    }
    return texts | (_payload(run) if may_see else {})


def texts_of_chain(cron: Cron) -> Texts:
    """Return the chain of a cron ticker, secrets masked; nothing where it cannot be read here."""
    try:
        return dict(_chain(cron.children, (), cron.stored_request))
    except UnreadableRequestError:
        return {}


def _chain(
    children: Iterable[TimeTicker], above: tuple[int, ...], stored: StoredRequest
) -> Iterable[tuple[str, str]]:
    for at, child in enumerate(children):
        path = (*above, at)
        is_task = child.task is not None
        texts = {
            "kind": "task" if is_task else "function",
            "function": str(child.task if is_task else child.function),
            "run_condition": "" if child.run_condition is None else _word(child.run_condition),
            "was": ".".join(map(str, path)),
            **_plain(child),
            **_call(
                {name: getattr(child, name) for name in ("args", "kwargs", "options")} if is_task else {}
            ),
            "on_lost": _word(child.on_lost),
            "request": "" if child.request is None else editable(stored.codec.shown(child.request)),
        }
        yield from ((prefix_of(path) + name, text) for name, text in texts.items())
        yield from _chain(child.children, path, stored)


def _options(ticker: Cron | Run) -> Texts:
    is_task = ticker.kind is TickerKind.CELERY_TASK
    return {
        "kind": "task" if is_task else "function",
        "function": ticker.function,
        **_plain(ticker),
        "on_lost": _word(ticker.on_lost),
    }


def _plain(ticker: Any) -> Texts:
    """Return the fields that all tickers have alike."""
    return {
        "description": ticker.description or "",
        "retries": _whole(ticker.retries),
        "retry_intervals": ", ".join(_span(each) for each in ticker.retry_intervals or ()),
        "timeout": _span(ticker.timeout),
        "hard_timeout": _span(ticker.hard_timeout),
        "priority": _word(ticker.priority),
        "queue": ticker.queue or "",
        "concurrency_key": ticker.concurrency_key or "",
        "tags": ", ".join(ticker.tags),
    }


def _payload(ticker: Cron | Run) -> Texts:
    try:
        shown = ticker.shown_request
    except (UnreadableRequestError, ValueError, RecursionError):
        return {}
    if ticker.kind is TickerKind.CELERY_TASK:
        texts = _call(shown if isinstance(shown, Mapping) else {})
    else:
        texts = {"request": "" if shown is None else editable(shown)}
    return texts if sum(map(len, texts.values())) <= LONGEST_PAYLOAD else {}


def _call(call: Mapping[str, Any]) -> Texts:
    return {name: editable(call[name]) if call.get(name) else "" for name in ("args", "kwargs", "options")}


def _local(moment: datetime | None, place: Any) -> str:
    return "" if moment is None else f"{moment.astimezone(place):%Y-%m-%dT%H:%M:%S}"


def _span(span: timedelta | float | None) -> str:
    if span is None:
        return ""
    return exact(span if isinstance(span, timedelta) else timedelta(seconds=span))


def _whole(number: int | None) -> str:
    return "" if number is None else str(number)


def _word(member: Any) -> str:
    return "" if member is None else str(getattr(member, "name", member)).lower()


def _flag(is_set: bool) -> str:
    return "1" if is_set else ""
