"""From what is stored to the texts of a form."""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from tickerq_celery import Cron, Run, TimeTicker
from tickerq_celery.enums import TickerKind
from tickerq_celery.errors import UnreadableRequestError
from tickerq_celery.views import StoredRequest
from tickerq_dashboard.commands.work import ARGUMENTS
from tickerq_dashboard.forms.chain import prefix_of
from tickerq_dashboard.forms.layout import HOW, OWN_OF_CRON, TERMS
from tickerq_dashboard.show.moments import zone_named
from tickerq_dashboard.ticker_fields import FIELDS, FUNCTION, TASK

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
        **_written(cron, ("every", *OWN_OF_CRON)),
        "start_at": _local("start_at", cron.start_at, place),
        "end_at": _local("end_at", cron.end_at, place),
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
        "at": _local("at", run.execution_time, zone_named(zone_name)[0]),
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
            "kind": TASK if is_task else FUNCTION,
            "function": str(child.task if is_task else child.function),
            "was": ".".join(map(str, path)),
            **_written(child, ("run_condition", *TERMS, *HOW)),
            **_call({name: getattr(child, name) for name in ARGUMENTS} if is_task else {}),
            "request": FIELDS["request"].written(stored.codec.shown(child.request)),
        }
        yield from ((prefix_of(path) + name, text) for name, text in texts.items())
        yield from _chain(child.children, path, stored)


def _options(ticker: Cron | Run) -> Texts:
    return {
        "kind": TASK if ticker.kind is TickerKind.CELERY_TASK else FUNCTION,
        "function": ticker.function,
        **_written(ticker, (*TERMS, *HOW)),
    }


def _written(ticker: Cron | Run | TimeTicker, names: Iterable[str]) -> Texts:
    return {name: FIELDS[name].written(getattr(ticker, name)) for name in names}


def _payload(ticker: Cron | Run) -> Texts:
    try:
        shown = ticker.shown_request
    except (UnreadableRequestError, ValueError, RecursionError):
        return {}
    if ticker.kind is TickerKind.CELERY_TASK:
        texts = _call(shown if isinstance(shown, Mapping) else {})
    else:
        texts = {"request": FIELDS["request"].written(shown)}
    return texts if sum(map(len, texts.values())) <= LONGEST_PAYLOAD else {}


def _call(call: Mapping[str, Any]) -> Texts:
    return {name: FIELDS[name].written(call.get(name)) for name in ARGUMENTS}


def _local(name: str, moment: datetime | None, place: tzinfo) -> str:
    return FIELDS[name].written(None if moment is None else moment.astimezone(place))
