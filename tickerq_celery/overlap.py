"""Overlap policies: what becomes of new occurrences while an earlier one has not ended."""

from enum import Enum

from tickerq_celery.enums import OverlapPolicy

TAKEN_REASON = "Overlap: an earlier occurrence of this cron ticker has not ended"
BUFFERED_REASON = "Overlap: an earlier occurrence of this cron ticker waits already"
REPLACED_REASON = "Overlap: a later occurrence of this cron ticker takes its place"


class Fate(Enum):
    """What becomes of an occurrence: it may start, waits for those before it, or is skipped."""

    RUN = "run"
    WAIT = "wait"
    SKIP_AS_TAKEN = "skip as taken"
    SKIP_AS_BUFFERED = "skip as buffered"
    SKIP_AS_REPLACED = "skip as replaced"


SKIP_REASONS = {
    Fate.SKIP_AS_TAKEN: TAKEN_REASON,
    Fate.SKIP_AS_BUFFERED: BUFFERED_REASON,
    Fate.SKIP_AS_REPLACED: REPLACED_REASON,
}


def fates(policy: OverlapPolicy, count: int, *, is_taken: bool, is_waited_for: bool) -> list[Fate]:
    """Return the fates of ``count`` new occurrences, oldest first.

    ``is_taken`` says that an earlier occurrence may run or runs, ``is_waited_for`` that one waits.
    Whatever the policy but ``allow``, at most one of a cron ticker's occurrences is let run at a time.
    """
    decided: list[Fate] = []
    for left in reversed(range(count)):
        if policy is OverlapPolicy.CANCEL_OTHER and left:
            decided.append(Fate.SKIP_AS_REPLACED)
            continue
        fate = _fate(policy, is_taken=is_taken or is_waited_for, is_waited_for=is_waited_for)
        is_taken = is_taken or fate is Fate.RUN
        is_waited_for = is_waited_for or fate is Fate.WAIT
        decided.append(fate)
    return decided


def _fate(policy: OverlapPolicy, *, is_taken: bool, is_waited_for: bool) -> Fate:
    if policy is OverlapPolicy.ALLOW or not is_taken:
        return Fate.RUN
    if policy is OverlapPolicy.SKIP:
        return Fate.SKIP_AS_TAKEN
    if policy is OverlapPolicy.BUFFER_ONE and is_waited_for:
        return Fate.SKIP_AS_BUFFERED
    return Fate.WAIT
