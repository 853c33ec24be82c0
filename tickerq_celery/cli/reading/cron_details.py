"""A cron ticker as ``show`` writes it for people, with its next and its last runs."""

from collections.abc import Iterator, Sequence

from tickerq_celery.cli import cells
from tickerq_celery.cli.reading.runs import COLUMNS
from tickerq_celery.cli.shell import Shell
from tickerq_celery.enums import MisfirePolicy, RunCondition
from tickerq_celery.errors import TickerValidationError, UnreadableRequestError
from tickerq_celery.tickers.cron_figures import CronFigures
from tickerq_celery.tickers.inputs import TimeTicker
from tickerq_celery.tickers.views import Cron

_SHOWN = 5


def write_cron(shell: Shell, cron: Cron, figures: CronFigures | None) -> None:
    """Write a cron ticker, its next instants, and the runs of its that ended last."""
    output = shell.output
    state = "fires" if cron.is_enabled else "paused"
    output.line(f"{cron.function}: {cron.expression} in {cron.time_zone}, {state}", bold=True)
    output.details(_state(cron) | _lately(figures) | _definition(cron))
    output.block("Request", cells.request(cron))
    output.block("Chain of each run", "\n".join(_chain(cron)))
    output.heading("Next, were it not paused" if not cron.is_enabled else "Next")
    for text in _upcoming(shell, cron):
        output.line(text)
    ended = shell.managers.runs.history(cron_ticker_id=cron.id, limit=_SHOWN)
    output.heading("Ended last")
    output.listing(list(ended), COLUMNS, empty="no run of it has ended")


def _upcoming(shell: Shell, cron: Cron) -> Iterator[str]:
    try:
        found = shell.managers.cron_tickers.upcoming(cron.id, count=_SHOWN)
    except TickerValidationError as error:
        yield str(error)
        return
    yield from map(cells.moment, found) if found else ["none: it has come to its end"]


def _state(cron: Cron) -> dict[str, str | None]:
    by = ", ".join(each for each in (cron.paused_by, cron.paused_reason) if each)
    return {
        "paused": None if cron.paused_at is None else f"since {cells.moment(cron.paused_at)} {by}".strip(),
        "resumes from": cells.moment(cron.resume_from),
        "next run": cells.moment(cron.next_run_at),
        "last run": cells.moment(cron.last_run_at),
        "runs so far": f"{cron.run_count:,}",
    }


def _lately(figures: CronFigures | None) -> dict[str, str | None]:
    if figures is None or figures.last is None:
        return {}
    share = figures.success_share
    but = f", without {figures.published} Published" if figures.published else ""
    return {
        "ended last": f"{figures.last.status_word}, {cells.moment(figures.last.ended_at)}",
        "succeeded": None if share is None else f"{share:.0%} of the last {len(figures.outcomes)}{but}",
        "took": cells.duration(figures.mean_duration),
    }


def _definition(cron: Cron) -> dict[str, str | None]:
    return {
        "id": str(cron.id),
        "namespace": cron.namespace,
        "description": cron.description,
        "fires": cron.words,
        "defined by": "code" if cron.is_seeded else None,
        "code says": cron.seed_expression if cron.seed_expression != cron.expression else None,
        "day fields": "either is enough" if cron.day_or else None,
        "from": cells.moment(cron.start_at),
        "until": cells.moment(cron.end_at),
        "most runs": None if cron.max_runs is None else f"{cron.max_runs:,}",
        "not on": ", ".join(each.isoformat() for each in cron.exclude),
        "jitter": cells.setting(cron.jitter) if cron.jitter else None,
        "misfires": _misfires(cron),
        "overlap": cron.overlap.value,
        "paused after": f"{cron.pause_on_failure} failures in a row" if cron.pause_on_failure else None,
        "retries": str(cron.retries),
        **cells.options(cron),
        "version": cron.version,
    }


def _misfires(cron: Cron) -> str:
    most = f", {cron.misfire_limit:,} at most" if cron.misfire is MisfirePolicy.RUN_ALL else ""
    late = f", if at most {cells.setting(cron.misfire_grace)} late" if cron.misfire_grace else ""
    return f"{cron.misfire.value}{most}{late}"


def _chain(cron: Cron) -> Iterator[str]:
    try:
        yield from _below(cron.children, 0)
    except UnreadableRequestError as error:
        yield str(error)


def _below(children: Sequence[TimeTicker], level: int) -> Iterator[str]:
    for each in children:
        when = each.run_condition
        condition = f" [{when.name.lower()}]" if isinstance(when, RunCondition) else ""
        yield f"{'  ' * level}{each.function or each.task}{condition}"
        yield from _below(each.children, level + 1)
