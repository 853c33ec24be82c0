"""Mutants of what ends a run: its body, its rescue, its revocation."""

from typing import Any

from sqlalchemy import select

from tests.inner import LOST
from tests.stateful.mutant import ATTEMPTS_KEY, CHECK, MOVES, Mutant
from tests.stateful.rewriting import both, doing_nothing, keeping, rewriting, without
from tests.statements import end_requests, ends
from tickerq_celery.enums import TickerStatus
from tickerq_celery.tickers.effect import Effect


def _of_a_rescue(run: object, outcome: Any, **_: object) -> bool:
    return outcome.failure is not None and outcome.failure.type == LOST


def _of_a_body(*arguments: Any, **options: Any) -> bool:
    return not _of_a_rescue(*arguments, **options)


_INSERT_NOTHING = rewriting(lambda statement: select(1) if statement.is_insert else statement)
_INSERT_OR_IGNORE = rewriting(
    lambda statement: statement.prefix_with("OR IGNORE") if statement.is_insert else statement
)
_INSERT_DONE = rewriting(
    lambda statement: statement.values(status=TickerStatus.DONE) if statement.is_insert else statement
)

OF_ENDS = (
    Mutant(
        ends.finish,
        "ignores the claim of a body",
        without("claim_no", when=_of_a_body),
        ATTEMPTS_KEY,
    ),
    Mutant(ends.finish, "ignores the status", without("status", when=_of_a_body), f"{ATTEMPTS_KEY}|{CHECK}"),
    Mutant(
        ends.finish,
        "accepts a stale body and its attempt",
        both(_INSERT_OR_IGNORE, without("claim_no", when=_of_a_body)),
        r"accepted: \[True\]",
    ),
    Mutant(
        ends.finish,
        "ignores the claim of a rescue",
        without("claim_no", when=_of_a_rescue),
        ATTEMPTS_KEY,
    ),
    Mutant(
        ends.finish,
        "ignores the status at a rescue",
        without("status", when=_of_a_rescue),
        f"{ATTEMPTS_KEY}|{CHECK}",
    ),
    Mutant(ends.finish, "keeps the node", keeping("running_on"), f"{CHECK}running_on"),
    Mutant(ends.finish, "keeps the end", keeping("ended_status"), "it_ended_only_if_terminal"),
    Mutant(ends.finish, "counts no retry", keeping("retry_count"), "retries_are_counted", is_quick=True),
    Mutant(ends.finish, "counts no rescue", keeping("rescue_count"), "rescues_are_counted", is_quick=True),
    Mutant(
        ends.finish, "writes no attempt", _INSERT_NOTHING, "each_started_claim_that_ended_has_one_attempt"
    ),
    Mutant(
        ends.finish,
        "writes another attempt",
        _INSERT_DONE,
        "its_end_is_that_of_its_last_attempt|retries_are_counted|rescues_are_counted",
    ),
    Mutant(
        ends.finish,
        "lets a cancelled run go on",
        without("cancel_request"),
        "what_was_to_be_cancelled_does_not_go_on|its body ended with",
    ),
    Mutant(
        ends.finish,
        "keeps the request",
        keeping("cancel_request"),
        "it_is_asked_to_end_only_while_in_progress",
        is_quick=True,
    ),
    Mutant(
        end_requests.request,
        "asks no process",
        doing_nothing(True),
        "cancelled in vain|runs on though a later",
    ),
    Mutant(
        end_requests.request, "says no", doing_nothing(False), "busy, but not locked|runs on though a later"
    ),
    Mutant(end_requests.lock, "finds nothing", doing_nothing(None), "busy, but not locked"),
    Mutant(ends.has_written, "says yes", doing_nothing(True), r"accepted: \[True\]"),
    Mutant(ends.has_written, "says no", doing_nothing(False), r"accepted: \[False\]"),
    Mutant(
        ends.end_waiting,
        "ignores the claim",
        without("claim_no"),
        "only_who_asked_for_it_is_cancelled",
    ),
    Mutant(
        ends.end_waiting,
        "ignores the status",
        without("status"),
        f"the_end_is_the_end|{MOVES}|its_end_is_that_of_its_last_attempt|{CHECK}",
    ),
    Mutant(
        ends.end_waiting,
        "does nothing",
        doing_nothing(Effect(result=False)),
        "said in vain|busy, but not locked|discarded: ",
    ),
)
