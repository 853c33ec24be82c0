"""Findings about limits that are full: of a function, of its concurrency keys, of a queue."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from tickerq_celery.enums import HoldReason
from tickerq_celery.health.findings import capped, waits_or_wait, warning
from tickerq_celery.health.phrases import counted, span
from tickerq_celery.store.health.full_limits import FullLimit
from tickerq_celery.store.health.held_runs import Held
from tickerq_celery.tickers.health import Finding, FindingCode, Subject, SubjectKind
from tickerq_celery.wording import moment

_REMEDIES = {
    HoldReason.LIMIT: "raise max_concurrency, or {ends}",
    HoldReason.KEY: "see which runs have the keys; raise max_concurrency_per_key, or {ends}",
}


def of_limits(
    held: Sequence[Held], full: Mapping[str, FullLimit], *, at: datetime, soon: timedelta, long: timedelta
) -> Iterator[Finding]:
    """Yield the limits for which the first run has waited longer than ``long``; for some ``soon`` is enough.

    These are functions of which no slot was taken for as long: a limit that is busy and healthy gives its
    slots to other runs meanwhile.
    """
    found = []
    for each in held:
        if each.reason not in _REMEDIES or each.since is None:
            continue
        limit = full.get(each.function) if each.reason is HoldReason.LIMIT and each.queue is None else None
        is_stuck = limit is not None and at - limit.taken_at > soon
        if at - each.since > (soon if is_stuck else long):
            found.append(_full(each, each.since, limit, at))
    yield from capped(found, "limits that are full")


def _full(held: Held, since: datetime, limit: FullLimit | None, at: datetime) -> Finding:
    text = f"{counted(held.runs, 'run')} of {held.function} {_waits(held)} for {span(at - since)}, "
    text += f"since {moment(since)}"
    ends = _REMEDIES[held.reason].format(ends=_end_of_one(limit))
    remedy = ends if held.queue is None else "start more workers of that queue"
    if limit is not None:
        text += f"; {_holders(limit)}"
        remedy = (
            f"`tickerq runs --active --function {shlex.quote(held.function)}` lists them, "
            f"`tickerq explain {limit.waiting}` says what the first waits for; {remedy}"
        )
    subject = Subject(SubjectKind.FUNCTION, held.function)
    return warning(FindingCode.LIMIT_FULL, text, subject=subject, since=since, remedy=remedy)


def _end_of_one(limit: FullLimit | None) -> str:
    """Return how one that has a slot ends: by a cancel, or, where the first was asked already, by a kill."""
    if limit is None or limit.first.cancel_request is None:
        return "cancel a run that has a slot"
    return f"kill the first, which was asked to end: `tickerq cancel --terminate {limit.first.id}`"


def _holders(limit: FullLimit) -> str:
    """Return who holds the slots, and since when none became free."""
    first = limit.first
    where = f" on {first.lock_holder}" if first.lock_holder else ""
    since = "" if first.locked_at is None else f" since {moment(first.locked_at)}"
    slots = "its slot is" if limit.most == 1 else f"all {limit.most:,} slots are"
    others = f" and {limit.holding - 1:,} more" if limit.holding > 1 else ""
    last = "" if limit.holding == 1 else f", the last one since {moment(limit.taken_at)}"
    return f"{slots} held by {first.id}{where}{since}{others}{last}"


def _waits(held: Held) -> str:
    verb = waits_or_wait(held.runs)
    if held.queue is not None:
        queue = f"queue {held.queue}" if held.queue else "their queue"
        return f"{verb} for capacity in {queue}"
    what = "of its concurrency key" if held.reason is HoldReason.KEY else "of the function's limit"
    return f"{verb} for a slot {what}"
