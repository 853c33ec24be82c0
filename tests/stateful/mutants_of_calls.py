"""Mutants of what becomes of the calls of Celery tasks, and of what workers report of them."""

from typing import Any

from sqlalchemy import Column, delete, null
from sqlalchemy.sql.visitors import replacement_traverse

from tests.inner import Started, lifecycle
from tests.stateful.mutant import ATTEMPTS_KEY, CHECK, Mutant
from tests.stateful.rewriting import Function, doing_nothing, keeping, rewriting, setting, without
from tests.statements import execution_ends, executions, lost_messages, nodes, publications
from tests.tables import attempts, tickers
from tickerq_celery.enums import OnLost
from tickerq_celery.tickers.effect import Effect


def _seeing_no_stamp(statement: Any) -> Any:
    def replace(element: Any, **_: Any) -> Any:
        is_stamp = isinstance(element, Column) and element.name == "published_at"
        return null().label("published_at") if is_stamp else None

    return replacement_traverse(statement, {}, replace) if statement.is_select else statement


def _replacing(record: Function) -> Function:
    """Return what keeps one attempt of each claim."""

    def mutant(tx: Any, run: Started, *arguments: Any, **options: Any) -> None:
        mine = (attempts.c.ticker_id == run.id, attempts.c.claim_no == run.claim_no)
        tx.execute(delete(attempts).where(*mine))
        record(tx, run, *arguments, **options)

    return mutant


def _always_rescued(decide: Function) -> Function:
    return lambda standing, **options: decide(standing, **options | {"on_lost": OnLost.RETRY})


OF_CALLS = (
    Mutant(
        lost_messages.take_over,
        "publishes what was stamped",
        rewriting(_seeing_no_stamp),
        "a stamped call is published again",
        is_quick=True,
    ),
    Mutant(
        publications.end_as_published,
        "does nothing",
        doing_nothing(False),
        "stuck for ever|a_stamp_ends_what_no_worker_follows",
    ),
    Mutant(
        publications.check_of_call,
        "awaits no report",
        lambda check: lambda tx, has_children, check_after: check(tx, False, check_after),
        "it_is_checked_only_while_queued",
    ),
    Mutant(
        execution_ends._move,
        "forgets the beginning",
        setting(started_at=None),
        "its_outcome_is_known_from_its_last_attempt_only",
        is_quick=True,
    ),
    Mutant(
        nodes.is_followed,
        "says no",
        doing_nothing(False),
        "a_stamp_ends_what_no_worker_follows",
        is_quick=True,
    ),
    Mutant(
        executions.start,
        "ignores the claim",
        without("claim_no"),
        r"\[Started\(|claims_are_counted|only_known_moves_of_a_call_are_made|IllegalTransition"
        "|its_executions_are_those_that_were_reported",
    ),
    Mutant(
        executions.start,
        "counts no execution",
        keeping("executions"),
        f"{ATTEMPTS_KEY}|its_executions_are_those_that_were_reported",
        is_quick=True,
    ),
    Mutant(
        executions.start, "names no node", keeping("running_on"), "it_runs_on_a_node_only_while_in_progress"
    ),
    Mutant(executions.start, "keeps the end", keeping("ended_at"), f"{CHECK}ended_at"),
    Mutant(
        execution_ends.record,
        "writes no attempt",
        doing_nothing(None),
        "each_reported_end_is_an_attempt",
        is_quick=True,
    ),
    Mutant(
        execution_ends.record,
        "keeps one of each claim",
        _replacing,
        "no_attempt_vanishes|each_reported_end_is_an_attempt",
        is_quick=True,
    ),
    Mutant(
        execution_ends._move,
        "keeps the unique key",
        keeping("active_key"),
        "it_holds_its_unique_key_until_it_has_ended|occurrences overlap|UNIQUE constraint failed",
    ),
    Mutant(execution_ends.correct, "does nothing", doing_nothing(False), "not written: the end of"),
    Mutant(
        execution_ends._is_execution,
        "takes any execution",
        lambda _: lambda run: (tickers.c.id == run.id, tickers.c.claim_no == run.claim_no),
        "a stale end moves|" + ATTEMPTS_KEY,
        is_quick=True,
    ),
    Mutant(
        execution_ends._is_execution,
        "takes any claim",
        lambda _: lambda run: (tickers.c.id == run.id, tickers.c.executions == run.executions),
        "a stale end moves|" + ATTEMPTS_KEY,
    ),
    Mutant(
        executions.end_unstarted,
        "does nothing",
        doing_nothing(Effect(result=False)),
        "discarded: ",
        is_quick=True,
    ),
    Mutant(
        lifecycle.lost_call,
        "always starts again",
        _always_rescued,
        "celery_counts_its_retries|it_is_published_again_only_for_a_dead_worker",
    ),
)
