"""Refuse Celery tasks that nothing knows: most likely their names are misspelt."""

from collections.abc import Callable, Collection, Mapping

from tickerq_celery.errors import TickerValidationError, UnknownTaskError
from tickerq_celery.managers.batches import naming
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import names
from tickerq_celery.tickers.celery_task import OF_A_FUNCTION, OUR_TASKS, checked_task
from tickerq_celery.tickers.work import NamesFunction


def refuse_unknown_tasks(
    tx: Transaction,
    core: Core,
    tickers: Mapping[str, NamesFunction],
    imported: Collection[str],
    namespace_of: Callable[[str | None], str],
) -> None:
    """Refuse a Celery task that is neither ``imported`` here nor named by any stored ticker.

    Raises:
        UnknownTaskError: There is one; its field has the position of the ticker that names it.
        TickerValidationError: It is the name of a function.
    """
    known: set[tuple[str, str]] = set()
    for position, ticker in tickers.items():
        if ticker.task is None or ticker.task in imported:
            continue
        with naming(position):
            task, namespace = checked_task(ticker.task), namespace_of(ticker.namespace)
            if (namespace, task) in known:
                continue
            if not names.is_task_named(tx.within(namespace), task):
                raise _unknown(core, task, imported)
        known.add((namespace, task))


def _unknown(core: Core, task: str, imported: Collection[str]) -> TickerValidationError:
    if core.registry.get(task) is not None:
        return TickerValidationError("task", task, OF_A_FUNCTION)
    return UnknownTaskError(task, (each for each in imported if not each.startswith(OUR_TASKS)))
