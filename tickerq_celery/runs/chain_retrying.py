"""Let the failures of a chain start again, in the transaction that it is given."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from tickerq_celery.errors import DuplicateTickerError
from tickerq_celery.runs.manual_retry import retry
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.runs import manual_retries
from tickerq_celery.store.runs.chain_trees import LockedMember
from tickerq_celery.tickers.chain_retries import RetryPlan


def apply_retry_plan(tx: Transaction, plan: RetryPlan, members: Sequence[LockedMember]) -> None:
    """Let runs of a locked chain start again: make them due, or let them wait for their parents.

    Raises:
        DuplicateTickerError: Another ticker has taken the unique key of one meanwhile.
        TickerStateError: The head is no run, but the record of instants that did not run.
    """
    by_id = {each.id: each for each in members}
    for run_id in plan.at_once:
        retry(tx, by_id[run_id])
    for parent_id, children in plan.waiting.items():
        _wait_again(tx, parent_id, children, by_id)


def _wait_again(
    tx: Transaction, parent_id: UUID, children: Sequence[UUID], by_id: dict[UUID, LockedMember]
) -> None:
    plain = [each for each in children if by_id[each].unique_key is None]
    manual_retries.wait_again(tx, parent_id, plain)
    for each in set(children) - set(plain):
        try:
            with savepoint(tx):
                manual_retries.wait_again(tx, parent_id, [each])
        except IntegrityError as error:
            raise DuplicateTickerError(by_id[each].unique_key or "") from error
