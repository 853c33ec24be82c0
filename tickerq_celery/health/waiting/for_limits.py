"""Which limits a run has reached: who holds the slots, when its rate allows it, how full its queue is."""

from collections.abc import Iterator
from datetime import datetime

from tickerq_celery.enums import HoldReason, TickerStatus
from tickerq_celery.health.phrases import before_it, comes, counted, listed
from tickerq_celery.health.waiting.case import Reason, WaitingCase, holder_of, reason
from tickerq_celery.health.waiting.for_runs import end_of
from tickerq_celery.health.waiting.for_sweeps import still_to_come
from tickerq_celery.store.health.wait_queues import SlotHolders
from tickerq_celery.store.health.waiting import OtherRun
from tickerq_celery.store.runs.concurrency import queue_key
from tickerq_celery.tickers.explanations import WaitCause
from tickerq_celery.wording import moment


def limits(case: WaitingCase) -> Iterator[Reason]:
    """Yield the limits that an Idle run has reached, or would have reached at the next claim."""
    facts, run = case.facts, case.run
    found = facts.limits
    if found is None and run.held_for in {HoldReason.LIMIT, HoldReason.KEY} and not is_for_queue(case):
        yield _unknown(case)
    if found is not None:
        most, per_key = found.max_concurrency, found.max_concurrency_per_key
        if most is not None and facts.of_function is not None and facts.of_function.count >= most:
            yield _slots(case, WaitCause.LIMIT, facts.of_function, most, "(max_concurrency)")
        if per_key is not None and facts.of_key is not None and facts.of_key.count >= per_key:
            of_key = f"with the concurrency key {run.concurrency_key} (max_concurrency_per_key)"
            yield _slots(case, WaitCause.KEY, facts.of_key, per_key, of_key)
    yield from _rate(case)
    yield from _backlog(case)


def is_for_queue(case: WaitingCase) -> bool:
    """Return True if a run is held since its queue is full."""
    return case.run.held_for is HoldReason.LIMIT and case.run.hold_key == queue_key(case.run.queue)


def _slots(case: WaitingCase, cause: WaitCause, found: SlotHolders, most: int, which: str) -> Reason:
    run = case.run
    shown = [_holder(case, each) for each in found.shown]
    key = f", key {run.concurrency_key}" if cause is WaitCause.KEY else ""
    return reason(
        cause,
        f"a slot of {run.function}{key}",
        f"Function {run.function} may have {counted(most, 'run')} at once {which}, and all slots are taken: "
        f"{listed(shown, found.count)}.{_before(case)}",
        remedy=_remedy(case, found, cause),
    )


def _holder(case: WaitingCase, holder: OtherRun) -> str:
    if holder.status is TickerStatus.IN_PROGRESS:
        since = holder.started_at or holder.locked_at
        state = _node_state(case, holder)
        return f"{holder.id} (in progress on {holder_of(holder)}{_since(since)}{state})"
    queue = case.route(holder).queue
    where = "" if queue is None else f" in queue {queue}"
    lack = "" if case.consumers(queue) else ", which no live worker consumes"
    return f"{holder.id} (Queued{where}{_since(holder.published_at or holder.locked_at)}{lack})"


def _node_state(case: WaitingCase, holder: OtherRun) -> str:
    node = next((each for each in case.facts.nodes if each.id == holder.running_on), None)
    if node is None:
        return ", which is gone"
    return "" if node.is_present else f", which is {node.state.value} since {moment(node.seen_at)}"


def _since(at: datetime | None) -> str:
    return "" if at is None else f" since {moment(at)}"


def _before(case: WaitingCase) -> str:
    return before_it(case.facts.before, "other run")


def _remedy(case: WaitingCase, found: SlotHolders, cause: WaitCause) -> str:
    setting = "max_concurrency" if cause is WaitCause.LIMIT else "max_concurrency_per_key"
    queues = {case.route(each).queue for each in found.shown if each.status is TickerStatus.QUEUED}
    idle = sorted(queue for queue in queues if queue is not None and not case.consumers(queue))
    start = "".join(f"start a worker for queue {queue}, " for queue in idle)
    asked = next((each for each in found.shown if _is_asked_to_end(each)), None)
    verb = "`tickerq cancel ID`" if asked is None else end_of(asked)
    return f"{start}end one that has a slot ({verb}), or raise the function's `{setting}`"


def _is_asked_to_end(holder: OtherRun) -> bool:
    return holder.status is TickerStatus.IN_PROGRESS and holder.cancel_request is not None


def _unknown(case: WaitingCase) -> Reason:
    cause = WaitCause.KEY if case.run.held_for is HoldReason.KEY else WaitCause.LIMIT
    name = case.run.function
    text = f"It is held for a slot of {name}, and no worker has the function that says how many there are."
    return reason(cause, f"a slot of {name}", text)


def _rate(case: WaitingCase) -> Iterator[Reason]:
    facts, run = case.facts, case.run
    known = None if facts.registered is None else facts.registered.rate_free_at
    rate = None if facts.limits is None else facts.limits.rate
    is_held = run.held_for is HoldReason.RATE
    if facts.limits is not None and rate is None:
        return
    if not is_held and (rate is None or known is None or known <= facts.at):
        return
    free_at = known or facts.at
    until = free_at
    if rate is not None:
        until = free_at + (int(facts.before) // rate.size) * rate.wait
    limit = "has a rate limit" if rate is None else f"may be claimed {rate} (rate_limit)"
    when = comes(free_at, facts.at) if free_at > facts.at else "now"
    yield reason(
        WaitCause.RATE,
        f"the rate of {run.function}",
        f"Function {run.function} {limit}: its next runs may be claimed {when}.{_before(case)}",
        until=still_to_come(case, until),
        remedy="raise the function's `rate_limit`",
    )


def _backlog(case: WaitingCase) -> Iterator[Reason]:
    facts, most = case.facts, case.config.max_queued
    due_at = case.run.due_at
    is_passed_over = facts.is_due and due_at is not None and facts.at - due_at > case.config.late_after
    route = case.route(case.run)
    queue = route.queue or case.run.queue or "its queue"
    if facts.queued >= most:
        text = f"{facts.queued:,} runs in queue {queue} are published and not started, and the setting "
        text += f"max_queued allows {most:,}."
        remedy = ", or raise `max_queued`"
    elif is_passed_over and facts.ahead:
        text = f"{facts.ahead:,} runs of {case.run.function} in queue {queue} are published and not started: "
        text += "beats publish no more of a function than its workers take in a moment."
        remedy = ""
    else:
        return
    consumers = [worker.name for worker in case.consumers(route.queue)]
    who = (
        f"Live workers that consume it: {listed(consumers)}." if consumers else "No live worker consumes it."
    )
    yield reason(
        WaitCause.BACKLOG,
        f"capacity in queue {queue}",
        f"{text} {who}{_before(case)}",
        remedy=f"start more workers, `celery -A yourapp worker -Q {queue}`{remedy}",
    )
