"""What a run waits for that may be claimed or released: a beat, its next pass, another transaction."""

from collections.abc import Iterator

from tickerq_celery.enums import HoldReason, NodeKind
from tickerq_celery.health.phrases import listed, span
from tickerq_celery.health.refusals import published_nothing, remedy
from tickerq_celery.health.waiting.case import Reason, WaitingCase, reason
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.tickers.node_views import NodeState
from tickerq_celery.wording import moment

_START = "start one, `celery -A yourapp beat`"
_RELEASED = {
    HoldReason.FUNCTION: "A live worker has its function now",
    HoldReason.LIMIT: "A slot of its function is free now",
    HoldReason.KEY: "A slot of its concurrency key is free now",
    HoldReason.RATE: "Its function has no rate limit any more",
    HoldReason.PAUSED: "The pause that held it is over",
    HoldReason.PARENT: "What is decided of its parent is written",
    HoldReason.OVERLAP: "The overlap lock of its cron ticker is free",
}


def claim(case: WaitingCase) -> Iterator[Reason]:
    """Yield that a due run waits for a beat's next claim."""
    due_at = case.run.due_at
    since = "" if due_at is None else f" since {moment(due_at)}"
    poll = span(case.config.poll_interval)
    yield reason(
        WaitCause.CLAIM,
        "the next claim of a beat",
        f"It is due{since}, and nothing holds it: a beat that is well claims it within {poll}.",
    )


def sweep(case: WaitingCase, *, cause: str | None = None) -> Reason:
    """Return that the cause of a hold is gone, so that a sweep releases it."""
    held_for = case.run.held_for
    gone = cause or ("The cause of its hold is gone" if held_for is None else _RELEASED[held_for])
    return reason(
        WaitCause.SWEEP, "the next sweep of a beat", f"{gone}: the next sweep of a beat makes the run due."
    )


def beat(case: WaitingCase) -> Iterator[Reason]:
    """Yield that no beat is alive, or that none completes a tick."""
    beats = case.nodes_of(NodeKind.BEAT, NodeState.ALIVE)
    if not beats:
        yield reason(
            WaitCause.BEAT,
            "a beat: none is alive",
            f"No beat is alive, and only a beat claims, sweeps and rescues.{_silent(case)}",
            remedy=_START,
        )
        return
    limit = max(case.config.lease, *(node.lease for node in beats))
    refused = [node for node in beats if node.is_refused]
    stalled = [
        f"{node.name} (since {moment(since)})"
        for node in beats
        if node not in refused and case.at - (since := node.ticked_at or node.started_at) > limit
    ]
    if stalled and len(stalled) + len(refused) == len(beats):
        yield reason(
            WaitCause.BEAT,
            "a beat that completes a tick",
            f"Every beat that is alive has completed no tick: {listed(stalled)}. "
            "A beat whose broker does not answer, or whose database refuses writes, claims nothing.",
            remedy="the log of that beat says why; `tickerq check` looks at store and broker",
        )


def broker(case: WaitingCase) -> Iterator[Reason]:
    """Yield that the broker does not answer this process, where it was asked, or takes no beat's messages."""
    state = case.outside.broker
    beats = case.nodes_of(NodeKind.BEAT, NodeState.ALIVE)
    if state is not None and state.error is not None:
        yield reason(
            WaitCause.BROKER,
            f"the broker at {state.address}",
            f"The broker at {state.address} {state.error}, seen from this process: what beats claim is given "
            "back until it takes messages.",
            remedy="see to the broker, or to the address in `broker_url`",
        )
    elif beats and all(node.is_refused for node in beats):
        words = beats[0].refusal or ""
        yield reason(
            WaitCause.BROKER,
            f"the broker, which has {words}",
            f"The broker has {words}; {published_nothing(beats)}. What beats claim is given back until it "
            "takes messages.",
            remedy=remedy(words),
        )


def lock(case: WaitingCase) -> Iterator[Reason]:
    """Yield that another transaction has the run's row locked, where that was looked at."""
    if case.outside.is_locked:
        yield reason(
            WaitCause.LOCK,
            "another transaction, which has its row locked",
            "Another transaction has its row locked, maybe that of a stalled process: claims, starts and "
            "sweeps pass over it until that ends.",
            remedy="look for a long transaction on the database "
            "(`pg_stat_activity`, `information_schema.innodb_trx`) and end it",
        )


def _silent(case: WaitingCase) -> str:
    silent = [
        f"{node.name} (since {moment(node.seen_at)})"
        for node in case.nodes_of(NodeKind.BEAT, NodeState.SILENT, NodeState.DEAD)
    ]
    stopping = [node.name for node in case.nodes_of(NodeKind.BEAT, NodeState.STOPPING)]
    return (f" Silent: {listed(silent)}." if silent else "") + (
        f" Shutting down: {listed(stopping)}." if stopping else ""
    )
