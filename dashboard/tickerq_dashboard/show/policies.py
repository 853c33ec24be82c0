"""The policies of a cron ticker, each as a sentence."""

from collections.abc import Iterator

from tickerq_celery import Cron, MisfirePolicy, OverlapPolicy, TickerPriority
from tickerq_celery.enums import RunCondition
from tickerq_celery.errors import UnreadableRequestError
from tickerq_dashboard.show.durations import exact
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.show.words import CONDITIONS, intervals, is_call, plural
from tickerq_dashboard.ticker_fields import said_of, set_policies

_OVERLAP = {
    OverlapPolicy.ALLOW: "the new one runs beside it",
    OverlapPolicy.SKIP: "the new one is skipped",
    OverlapPolicy.BUFFER_ONE: "one new one waits for it, and later ones are skipped",
    OverlapPolicy.BUFFER_ALL: "the new ones wait for it, one after the other",
    OverlapPolicy.CANCEL_OTHER: "the run before is cancelled",
}
_MISFIRE = {
    MisfirePolicy.RUN_ONCE: "the latest missed instant runs",
    MisfirePolicy.SKIP: "what was missed is skipped",
    MisfirePolicy.RUN_ALL: "all that was missed runs",
}


def policies_of(cron: Cron, clock: Clock) -> Iterator[tuple[str, str]]:
    """Yield each policy: what happens when, and then what."""
    yield "If the run before still runs,", f"{_OVERLAP[cron.overlap]}."
    yield "After an outage,", f"{_misfire(cron)}."
    yield from _failing(cron)
    yield "Its runs start", f"{_start(cron)}."
    yield from set_policies(cron)
    yield from _window(cron, clock)
    yield from _following(cron)


def _misfire(cron: Cron) -> str:
    said = _MISFIRE[cron.misfire]
    if cron.misfire is MisfirePolicy.RUN_ALL:
        said += f", {cron.misfire_limit:,} at most"
    if cron.misfire_grace is not None:
        said += f", if it is at most {exact(cron.misfire_grace)} late"
    return said


def _failing(cron: Cron) -> Iterator[tuple[str, str]]:
    if is_call(cron):
        yield "If a run fails,", "Celery retries it as its task says."
    elif cron.retries:
        yield (
            "If a run fails,",
            f"it is tried {plural(cron.retries, 'more time')}: after {intervals(cron.retry_intervals)}.",
        )
    else:
        yield "If a run fails,", "it is not tried again."
    if cron.pause_on_failure is not None:
        yield f"After {plural(cron.pause_on_failure, 'failed run')} in a row,", "it is paused."


def _start(cron: Cron) -> str:
    when = f"up to {exact(cron.jitter)} after their time" if cron.jitter else "exactly on time"
    queue = "the queue that Celery's router chooses" if cron.queue is None else f"the queue {cron.queue}"
    level = (
        ""
        if cron.priority is TickerPriority.NORMAL
        else f" with priority {said_of(cron.priority, 'priority')}"
    )
    return f"{when}, on {queue}{level}"


def _window(cron: Cron, clock: Clock) -> Iterator[tuple[str, str]]:
    if cron.max_runs is not None:
        yield "It ends after", f"{plural(cron.max_runs, 'run')}; it has had {cron.run_count:,}."
    if cron.start_at is not None:
        yield "It does not fire before", f"{clock.whole(cron.start_at)}."
    if cron.end_at is not None:
        yield "It does not fire after", f"{clock.whole(cron.end_at)}."


def _following(cron: Cron) -> Iterator[tuple[str, str]]:
    try:
        children = cron.children
    except UnreadableRequestError as error:
        yield "What follows its runs is not known here:", f"{error}."
        return
    for each in children:
        condition = each.run_condition
        when = CONDITIONS[condition] if isinstance(condition, RunCondition) else "runs"
        below = ", and what is below it" if each.children else ""
        yield "Behind each of its runs", f"{each.function or each.task} {when}{below}."
