"""Histories that the checker must reject, each for one thing that went wrong."""

from dataclasses import replace
from typing import Any

from tests.inner import LOST, UNMET_REASON
from tests.soak.histories import (
    CHAIN,
    COUNTED,
    CRON,
    DONE,
    FAILED,
    HOUR_OF_SENDS,
    KEYED,
    LIMITED,
    OVERLAPPING,
    SKIPPED,
    VALID,
    at,
    attempt,
    calm,
    changed,
    ended,
    missed_row,
    more,
    occurrence,
    row,
    skip,
    started,
    tally_of,
    ticker_id,
    without,
)
from tests.soak.history import History
from tests.soak.violation import Rule
from tickerq_celery import MisfirePolicy
from tickerq_celery.enums import HoldReason, TickerStatus

IDLE, QUEUED, IN_PROGRESS = TickerStatus.IDLE, TickerStatus.QUEUED, TickerStatus.IN_PROGRESS
FAILED_AS_LOST: dict[str, Any] = {"status": FAILED, "exception_type": LOST}
ONE, TWO, THREE = ({"ticker_id": ticker_id(number)} for number in (1, 2, 3))
SKIPPED_CHILD: dict[str, Any] = {"status": SKIPPED, "skipped_reason": UNMET_REASON}
FIRST_LIMITED = {"ticker_id": ticker_id(21)}


def run(changes: dict[str, Any], **wanted: Any) -> History:
    """Return the valid history with changes to one row."""
    return changed(VALID, "runs", changes, **wanted)


def link(changes: dict[str, Any], **wanted: Any) -> History:
    """Return the valid chain with changes to one row."""
    return changed(CHAIN, "runs", changes, **wanted)


def tried(changes: dict[str, Any], **wanted: Any) -> History:
    """Return the valid history with changes to one attempt."""
    return changed(VALID, "attempts", changes, **wanted)


REJECTED: dict[Rule, dict[str, History]] = {
    Rule.COMMITTED_IS_TERMINAL: {
        "a committed ticker without a row": without(VALID, "runs", id=ticker_id(1)),
        "a committed ticker that waits for ever": run({"status": IDLE}, serial=1),
        "a one-off ticker that a pause holds": run({"status": IDLE, "held_for": HoldReason.PAUSED}, serial=1),
        "an unknown ticker that has a row and waits for ever": run({"status": IDLE}, serial=6),
        "an occurrence that waits for ever": run({"held_for": None}, id=ticker_id(14)),
    },
    Rule.NOTHING_IS_ACTIVE: {
        "a row left Queued": run({"status": QUEUED}, serial=1),
        "an occurrence left InProgress": run({"status": IN_PROGRESS}, id=ticker_id(10)),
    },
    Rule.ROLLED_BACK_IS_NOTHING: {
        "a rolled back ticker that has a row": more(VALID, "runs", row(4)),
        "a rolled back ticker whose id never came back, and that has a row": more(
            changed(VALID, "added", {"ticker_id": None}, serial=4), "runs", row(4)
        ),
        "a rolled back ticker that ran": more(VALID, "started", started(4, 1, 1)),
    },
    Rule.ROW_WAS_ADDED: {
        "a row that was not added": more(VALID, "runs", row(7)),
        "an occurrence of no cron ticker": more(VALID, "runs", row(7, serial=None)),
        "two rows of a ticker that was added once": more(VALID, "runs", row(6, id=ticker_id(7))),
        "a row under another id than came back": changed(
            VALID, "added", {"ticker_id": ticker_id(7)}, serial=1
        ),
        "a body without a row": more(VALID, "started", started(7, 1, 1)),
    },
    Rule.ONE_START: {
        "a claim that started twice": more(VALID, "started", started(1, 1, 1.5)),
    },
    Rule.STARTS_ARE_SEPARATED: {
        "a second start after a claim without an attempt": without(VALID, "attempts", **TWO, claim_no=1),
        "a second start after a claim that was done": tried({"status": DONE}, **TWO, claim_no=2),
        "a start after the end": more(VALID, "started", started(1, 2, 3)),
        "a start that is nowhere accounted for": without(VALID, "attempts", **ONE),
        "a start of a run that was never claimed": more(VALID, "started", started(14, 1, 5)),
        "a start of a run that is Idle again": without(
            run({"status": IDLE, "held_for": HoldReason.PAUSED}, id=ticker_id(10)),
            "attempts",
            ticker_id=ticker_id(10),
        ),
        "a start of an earlier claim than the one InProgress": without(
            run({"status": IN_PROGRESS, "claim_no": 2}, serial=1), "attempts", **ONE
        ),
        "a start of a later claim than the one InProgress": without(
            run({"status": IN_PROGRESS, "claim_no": 0}, serial=1), "attempts", **ONE
        ),
        "a start before the failure of the attempt before it was recorded": changed(
            VALID, "started", {"at": at(1.9)}, **THREE, claim_no=2
        ),
        "a start before the attempt before it was recorded as lost": changed(
            VALID, "started", {"at": at(5.9)}, **TWO, claim_no=4
        ),
        "a start before an attempt of long before had ended": tried({"ended_at": at(8.5)}, **TWO, claim_no=1),
    },
    Rule.NO_STALE_FINISH: {
        "a finish of a claim that never started": tried({"claim_no": 3}, **TWO, claim_no=4),
        "a finish of a body that never began": without(VALID, "started", **ONE),
        "a finish of a body that never came to its end": without(VALID, "ended", **ONE),
        "a failure of a body that ended well": changed(
            VALID, "ended", {"has_failed": False}, **THREE, claim_no=2
        ),
        "a success of a body that failed": changed(VALID, "ended", {"has_failed": True}, **ONE),
        "a finish of a body that ended twice": more(VALID, "ended", ended(1, 1, 2)),
    },
    Rule.ATTEMPTS_IN_ORDER: {
        "attempts whose numbers leave one out": tried({"number": 3}, **TWO, claim_no=4),
        "attempts whose claims go back": tried({"claim_no": 3}, **TWO, claim_no=1),
        "an attempt that begins before the one before it has ended": tried(
            {"started_at": at(5)}, **TWO, claim_no=4
        ),
        "an attempt that ends before it begins": tried({"started_at": at(3)}, **ONE),
        "an attempt after the one that ended the run": more(VALID, "attempts", attempt(1, 2, 1, 3, 4)),
    },
    Rule.END_IS_THE_LAST_ATTEMPTS: {
        "a run that ends otherwise than its last attempt": run({"status": FAILED}, serial=1),
        "a run that ends without an attempt": without(VALID, "attempts", ticker_id=ticker_id(6)),
        "an attempt of a later claim than the run ever had": run({"claim_no": 3}, serial=2),
        "a run that was done in a later claim than its last attempt": run({"claim_no": 5}, serial=2),
        "a run that was done late in a later claim than its last attempt": changed(
            run({"status": TickerStatus.DUE_DONE, "claim_no": 2}, serial=1),
            "attempts",
            {"status": TickerStatus.DUE_DONE},
            **ONE,
        ),
        "a run that failed in a later claim than its last attempt": run({"claim_no": 3}, serial=3),
        "a waiting run with an attempt of a later claim": run(
            {"status": IDLE, "claim_no": 0, "held_for": HoldReason.PAUSED}, id=ticker_id(10)
        ),
    },
    Rule.TIMES_AGREE: {
        "an end that was recorded before the body came to it": tried({"ended_at": at(1.9)}, **ONE),
        "a failure that was recorded before the body failed": tried(
            {"ended_at": at(3.9)}, **THREE, claim_no=2
        ),
        "a body that began before its start was recorded": changed(VALID, "started", {"at": at(0.9)}, **ONE),
        "a lost body that began before its start was recorded": changed(
            VALID, "started", {"at": at(2.9)}, **TWO, claim_no=2
        ),
    },
    Rule.COUNTS_ARE_TRUE: {
        "a retry that is not counted": run({"retry_count": 0}, serial=2),
        "a rescue that used up a retry": run({"retry_count": 2, "rescue_count": 0}, serial=2),
    },
    Rule.RETRIES_OBEY_THE_PLAN: {
        "a run that failed less often than it was to": changed(VALID, "added", {"fails": 2}, serial=2),
        "a run that was not to fail for good": changed(VALID, "added", {"retries": 3}, serial=3),
        "a run that was lost too often": changed(
            run({"status": FAILED}, serial=1), "attempts", FAILED_AS_LOST, **ONE
        ),
        "a run that was cancelled without a cancel": run({"status": TickerStatus.CANCELLED}, serial=1),
        "a run that was to fail and was cancelled": run({"status": TickerStatus.CANCELLED}, serial=3),
        "a one-off ticker that was skipped": run({"status": SKIPPED}, serial=1),
        "an occurrence that failed": run({"status": FAILED}, id=ticker_id(10)),
    },
    Rule.CHILDREN_FOLLOW: {
        "a parent that was stored without its child": without(CHAIN, "runs", id=ticker_id(32)),
        "a child that was skipped though its condition was met": link(SKIPPED_CHILD, serial=32),
        "a child that was skipped though its parent had started": link(SKIPPED_CHILD, serial=33),
        "a child that ran though its condition was not met": link({"status": DONE}, serial=34),
        "a child that ran though its parent was skipped": link({"status": DONE}, serial=35),
        "a child that ran and was skipped": more(CHAIN, "started", started(34, 1, 4)),
        "a child of another parent": link({"parent_id": ticker_id(1)}, serial=32),
        "a child that began before its parent's end": changed(
            CHAIN, "started", {"at": at(2.5)}, ticker_id=ticker_id(32)
        ),
        "a child that began before its parent's start": changed(
            CHAIN, "started", {"at": at(0.5)}, ticker_id=ticker_id(33)
        ),
    },
    Rule.ONE_OCCURRENCE: {
        "an instant of which nothing is known": without(VALID, "occurrences", instant=at(4)),
        "a last instant of which nothing is known": changed(VALID, "crons", {"until": at(6.5)}, cron_id=CRON),
        "an instant with two occurrences": more(VALID, "occurrences", occurrence(15, 4)),
        "an instant that occurred and is recorded as missed": more(VALID, "occurrences", occurrence(15, 3)),
        "two records of the same instant": more(VALID, "skips", skip(15, 3, 3, 1)),
        "a record that counts fewer instants than it spans": changed(VALID, "skips", {"count": 1}),
        "an occurrence between two instants": changed(
            VALID, "occurrences", {"instant": at(5.5)}, instant=at(5)
        ),
        "an occurrence before the first instant": more(VALID, "occurrences", occurrence(15, 0)),
        "an occurrence that was skipped without a reason": changed(
            OVERLAPPING, "runs", {"skipped_reason": None}, id=ticker_id(13)
        ),
        "an occurrence that was skipped for an unknown reason": changed(
            OVERLAPPING, "runs", {"skipped_reason": "Overlap: who knows"}, id=ticker_id(13)
        ),
        "an occurrence that was skipped as another ran, though both may": replace(
            OVERLAPPING, crons=VALID.crons
        ),
        "an occurrence that ran and has a reason to be skipped": run(
            {"skipped_reason": "Overlap: who knows"}, id=ticker_id(13)
        ),
        "a record of missed instants that is not Skipped": run({"status": DONE}, id=ticker_id(11)),
        "a record that names another policy": changed(
            VALID,
            "runs",
            {"skipped_reason": missed_row(11, 2, 3, policy="skip").skipped_reason},
            id=ticker_id(11),
        ),
        "a record after which nothing ran": without(VALID, "occurrences", instant=at(4)),
        "a record of a cron ticker that runs all": replace(
            changed(VALID, "crons", {"misfire": MisfirePolicy.RUN_ALL}),
            runs=(*without(VALID, "runs", id=ticker_id(11)).runs, missed_row(11, 2, 3, policy="run_all")),
        ),
    },
    Rule.ENDS_ARE_COUNTED_ONCE: {
        "an end that was counted twice": replace(COUNTED, rolled_up={HOUR_OF_SENDS: tally_of(2)}),
        "ends that were never counted": replace(COUNTED, rolled_up={}),
        "ends of runs that are not there": replace(COUNTED, recounted={}),
    },
    Rule.RECOVERY_IS_BOUNDED: {
        "a run that began long after the faults had ended": changed(
            calm(-4), "added", {"due": at(-99)}, serial=1
        ),
        "a run that began long after it was due": changed(calm(-99), "added", {"due": at(-4)}, serial=1),
        "an occurrence that began long after its instant": changed(
            calm(2), "attempts", {"started_at": at(8.5), "ended_at": at(9)}, ticker_id=ticker_id(13)
        ),
        "a retry that began long after the failure": changed(
            calm(2), "attempts", {"started_at": at(7), "ended_at": at(8)}, **THREE, claim_no=2
        ),
        "a dead worker whose run was rescued long after": changed(
            calm(2), "attempts", {"ended_at": at(7.5)}, **TWO, claim_no=2
        ),
    },
    Rule.LIMIT_IS_KEPT: {
        "more bodies at once than the limit": changed(LIMITED, "ended", {"at": at(3.5)}, **FIRST_LIMITED),
        "more bodies of one key at once": changed(KEYED, "ended", {"at": at(3.5)}, **FIRST_LIMITED),
        "more bodies at once, as the slot of a dead one was given on before its rescue": without(
            changed(LIMITED, "attempts", {**FAILED_AS_LOST, "ended_at": at(3.5)}, **FIRST_LIMITED),
            "ended",
            **FIRST_LIMITED,
        ),
    },
}
