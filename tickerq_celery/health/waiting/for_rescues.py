"""What a run in progress waits for whose worker gives no sign of life: a beat rescues it."""

from collections.abc import Iterator
from datetime import datetime

from tickerq_celery.enums import OnLost
from tickerq_celery.health.phrases import span
from tickerq_celery.health.rescuing import rescue_words, rescued_by, silent_since
from tickerq_celery.health.waiting import for_beats
from tickerq_celery.health.waiting.case import Reason, WaitingCase, holder_of, reason
from tickerq_celery.health.waiting.for_sweeps import still_to_come
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.tickers.node_views import NodeState, NodeView
from tickerq_celery.wording import moment


def rescue(case: WaitingCase) -> Iterator[Reason]:
    """Yield that a run in progress waits for its rescue, as its worker is silent, dead or gone."""
    run = case.run
    node = next((each for each in case.facts.nodes if each.id == run.running_on), None)
    if node is not None and node.is_present:
        return
    name, state = (holder_of(run), "gone") if node is None else (node.name, node.state.value)
    since = "" if node is None else f", without a heartbeat since {moment(node.seen_at)}"
    by = _rescued_by(case, node)
    is_late = by is not None and by <= case.at
    yield reason(
        WaitCause.RESCUE,
        f"its rescue{', which is late' if is_late else ''}: its worker {name} is {state}",
        f"Its worker {name} is {state}{since}: {_rescue(case, node, by)}. {_then(case)}",
        until=still_to_come(case, by),
        remedy=_instead(case, node, by),
    )


def _rescued_by(case: WaitingCase, node: NodeView | None) -> datetime | None:
    """Return by when a beat has rescued a run; None where that is not known, or no beat is alive to do it."""
    run = case.run
    known = node or next((each for each in case.facts.lost if each.id == run.running_on), None)
    silent = silent_since(known, run.started_at)
    if silent is None or any(True for _ in for_beats.beat(case)):
        return None
    return rescued_by(silent, case.facts.nodes, lease=case.config.lease)


def _rescue(case: WaitingCase, node: NodeView | None, by: datetime | None) -> str:
    unless = (
        "unless it sends a heartbeat again, " if node is not None and node.state is NodeState.SILENT else ""
    )
    if by is not None:
        return f"{unless}{rescue_words(by, case.at)}"
    return f"{unless}a beat rescues it within {span(2 * case.config.lease)} once one ticks"


def _instead(case: WaitingCase, node: NodeView | None, by: datetime | None) -> str:
    """Return how a person ends the wait, and where to look if no beat does."""
    is_dead = node is None or node.state is NodeState.DEAD
    verbs = (
        f"{'' if is_dead else 'once it is dead, '}`tickerq release {case.run.id}` starts it again at once, "
        f"`tickerq mark-failed {case.run.id}` ends it"
    )
    if by is None:
        return verbs
    late = "" if by <= case.at else "if no beat rescues it by then, "
    return f"{verbs}; {late}the log of a beat says why"


def _then(case: WaitingCase) -> str:
    run = case.run
    if run.cancel_request is not None:
        return "With its rescue it is Cancelled, as a cancel was requested."
    if _on_lost(case) is OnLost.FAIL:
        return "With its rescue it ends as Failed (on_lost)."
    if run.rescue_count >= case.config.max_rescues:
        return f"With its rescue it ends as Failed, after {run.rescue_count} rescues (max_rescues)."
    return "With its rescue it starts again."


def _on_lost(case: WaitingCase) -> OnLost:
    if case.run.is_call:
        return case.run.on_lost or OnLost.FAIL
    return OnLost.RETRY if case.facts.registered is None else case.facts.registered.on_lost
