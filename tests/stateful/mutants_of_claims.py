"""Mutants of what leads a run from its claim to its start."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, update

from tests.inner import Claim, Dispatcher, Transaction
from tests.stateful.mutant import CHECK, MOVES, Mutant
from tests.stateful.rewriting import (
    Function,
    Mutation,
    both,
    doing_nothing,
    keeping,
    rewriting,
    setting,
    without,
)
from tests.statements import claims, publications, starts
from tests.tables import tickers
from tickerq_celery.enums import TickerStatus
from tickerq_celery.store.runs.lost_messages import TakenOver


def claiming(*, step: int = 0, **values: Any) -> Mutation:
    """Return what lets a function that returns claims write something more, and number them otherwise."""

    def mutate(function: Function) -> Function:
        def mutant(connection: Connection, *arguments: Any, **options: Any) -> list[Claim] | TakenOver:
            taken = function(connection, *arguments, **options)
            found = taken.claims if isinstance(taken, TakenOver) else taken
            if values and found:
                ids = [claim.id for claim in found]
                connection.execute(update(tickers).where(tickers.c.id.in_(ids)).values(**values))
            numbered = [replace(claim, number=claim.number + step) for claim in found]
            return replace(taken, claims=numbered) if isinstance(taken, TakenOver) else numbered

        return mutant

    return mutate


def _on_another_node(start: Function) -> Function:
    return lambda *arguments, **options: start(*arguments, **options | {"node_id": uuid4()})


def _publishing_before_the_commit(dispatch: Function) -> Function:
    def mutant(self: Any, *, holder: str, ids: Any = None) -> bool:
        def claim(tx: Transaction) -> bool:
            claimed, _ = self._claimer._claim(tx, holder, ids, None)
            handed = self._publisher.hand_over(claimed.claims)
            if handed.failure is not None:
                raise handed.failure
            return bool(claimed.is_full)

        self._publisher.connect()
        return bool(self._core.write(claim))

    return mutant


ANYTHING_DUE = both(
    without("due_at"), rewriting(lambda statement: statement.where(tickers.c.due_at.is_not(None)))
)

OF_CLAIMS = (
    Mutant(
        claims.lock_due,
        "takes what is not due",
        ANYTHING_DUE,
        "only_what_is_due_and_may_run_is_claimed",
        is_quick=True,
    ),
    Mutant(
        claims.claim,
        "counts no claim",
        claiming(step=-1, claim_no=tickers.c.claim_no - 1),
        f"{MOVES}|lateness_is_decided_by_the_first_claim",
        is_quick=True,
    ),
    Mutant(
        claims.claim, "counts two", claiming(step=1, claim_no=tickers.c.claim_no + 1), "claims_are_counted"
    ),
    Mutant(claims.claim, "leaves it due", claiming(due_at=tickers.c.locked_at), f"{CHECK}due_at"),
    Mutant(claims.claim, "plans no check", claiming(check_at=None), f"{CHECK}check_at"),
    Mutant(
        claims.claim, "finds nothing late", claiming(is_late=False), "lateness_is_decided_by_the_first_claim"
    ),
    Mutant(claims.claim, "keeps old publications", claiming(publish_count=1), "what_is_stamped_was_sent"),
    Mutant(
        Dispatcher.dispatch,
        "publishes before the commit",
        _publishing_before_the_commit,
        "a message before its commit",
        is_quick=True,
    ),
    Mutant(
        publications.stamp,
        "ignores the claim",
        without("claim_no"),
        "only_who_sent_a_claim_stamps_it|only_who_sent_a_call_stamps_it|what_is_stamped_was_sent",
    ),
    Mutant(
        publications.stamp,
        "ignores the status",
        without("status"),
        f"{CHECK}check_at|the_end_is_the_end|only_a_report_moves_what_has_ended",
    ),
    Mutant(
        publications.stamp,
        "sets the status",
        both(setting(status=TickerStatus.QUEUED), without("status")),
        f"{CHECK}|{MOVES}",
    ),
    Mutant(
        publications.give_back,
        "ignores the claim",
        without("claim_no"),
        "only_who_made_a_claim_gives_it_back",
    ),
    Mutant(
        publications.give_back,
        "ignores the status",
        without("status"),
        f"{CHECK}|only_who_made_a_claim_gives_it_back|the_end_is_the_end",
    ),
    Mutant(publications.give_back, "does nothing", doing_nothing(None), "not given back"),
    Mutant(
        starts.start,
        "ignores the claim",
        without("claim_no"),
        r"run \d+: Started\(|what_is_stamped_was_sent",
    ),
    Mutant(
        starts.start, "ignores the status", without("status"), rf"{CHECK}|run \d+: Started\(", is_quick=True
    ),
    Mutant(starts.start, "keeps the check", keeping("check_at"), f"{CHECK}check_at"),
    Mutant(
        starts.start,
        "notes no publication",
        keeping("published_at"),
        "what_was_started_was_published",
        is_quick=True,
    ),
    Mutant(starts.start, "names no node", keeping("running_on"), "it_runs_on_a_node_only_while_in_progress"),
    Mutant(
        starts.start,
        "names another node",
        _on_another_node,
        "it_is_in_progress_where_its_claim_was_started",
        is_quick=True,
    ),
    Mutant(
        publications.postpone, "ignores the claim", without("claim_no"), "only_who_made_a_claim_gives_it_back"
    ),
    Mutant(
        publications.postpone,
        "ignores the status",
        without("status"),
        f"{CHECK}|the_end_is_the_end|only_who_made_a_claim_gives_it_back",
    ),
    Mutant(publications.postpone, "does nothing", doing_nothing(False), "said in vain|not given back"),
    Mutant(
        starts.running,
        "ignores the claim",
        without("claim_no"),
        "only_who_asked_for_it_is_cancelled|was taken from a living worker",
    ),
    Mutant(starts.running, "ignores the status", without("status"), "said in vain"),
)
