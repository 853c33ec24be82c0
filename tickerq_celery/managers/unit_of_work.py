"""What managers of both kinds share: known functions, encoded requests, transactions, dispatch."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from tickerq_celery import validation
from tickerq_celery.errors import StoreError, TickerBusyError, TickerError, TickerStateError
from tickerq_celery.managers.batches import naming
from tickerq_celery.managers.operations import Operation, Operations, Recall, Work
from tickerq_celery.managers.unknown_tasks import refuse_unknown_tasks
from tickerq_celery.payload.codec import Packed
from tickerq_celery.payload.expected_request import ExpectedRequest
from tickerq_celery.runs.immediate import dispatch_after
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.shared_limit import writing
from tickerq_celery.store.cron import cron_tickers
from tickerq_celery.store.database.refusals import translated_refusals
from tickerq_celery.store.database.sessions import (
    Callers,
    gather_until_committed,
    refuse_asynchronous,
    when_committed,
)
from tickerq_celery.store.database.transaction import Transaction, savepoint
from tickerq_celery.store.functions import functions
from tickerq_celery.store.runs import runs
from tickerq_celery.tickers.actor import Actor
from tickerq_celery.tickers.audit import ObjectKind
from tickerq_celery.tickers.claims import Due
from tickerq_celery.tickers.effect import Effect
from tickerq_celery.tickers.surroundings import CeleryTasks
from tickerq_celery.tickers.work import FunctionDefaults, NamesFunction, WorkPlan

logger = logging.getLogger(__name__)
T = TypeVar("T")
_INSTEAD = "tickerq.aio.{}(…, session=session)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a function: how its tickers are checked, and what it takes as far as known here."""

    plan: WorkPlan
    expected: ExpectedRequest


class UnitOfWork:
    """One transaction for each call: the manager's own, or the caller's ``session``.

    ``dispatch_now`` publishes runs that are due, ``dispatch_calls`` those of an outbox, and ``tasks`` says
    what this process knows of Celery's. With an ``actor`` all verbs act in its name.
    """

    def __init__(
        self,
        core: Core,
        dispatch_now: Callable[[Collection[UUID]], None],
        tasks: CeleryTasks,
        *,
        dispatch_calls: Callable[[Collection[Due]], None] = lambda calls: None,
        actor: Actor | None = None,
    ) -> None:
        self.core = core
        self.operations: Operations = Operations(core, actor)
        self.tasks = tasks
        self._callers = Callers(core.database)
        self._priority_queues = core.config.priority_queues
        self._dispatch_now = dispatch_now
        self._dispatch_calls = dispatch_calls

    def in_transaction(
        self,
        work: Callable[[Transaction], Effect[T]],
        session: object,
        *,
        verb: str,
        after: Callable[[T], object] | None = None,
    ) -> T:
        """Run ``work`` of a ``verb`` in the caller's transaction, or in one of its own without a session.

        What it stored and is due at once is published afterwards, or when the caller's has committed, and
        ``after`` is given its result then.
        """
        if session is None:
            with writing():
                done = dispatch_after(self.core.write(work), self._dispatch_now)
            if after is not None:
                after(done)
            return done
        caller = self._callers.join(session, instead=_INSTEAD.format(verb))
        with translated_refusals():
            stored = work(self.core.writing(caller.connection))
        if stored.due:
            gather_until_committed(caller, stored.due, self._dispatch_now)
        if stored.calls:
            gather_until_committed(caller, stored.calls, self._dispatch_calls)
        if after is not None:
            when_committed(caller, lambda: after(stored.result))
        return stored.result

    def read(self, work: Callable[[Transaction], T], session: object, *, verb: str) -> T:
        """Return what ``work`` reads, in the caller's transaction if there is a ``session``."""
        if session is None:
            return self.core.read(work)
        return self.in_transaction(lambda tx: Effect(result=work(tx)), session, verb=verb)

    def operate(
        self,
        operation: Operation,
        work: Work[T],
        *,
        recall: Recall[T],
        session: object = None,
        verb: str | None = None,
        after: Callable[[T], object] | None = None,
    ) -> T:
        """Run ``work`` as ``in_transaction`` does, with the operation's entry in the audit.

        The entry shows the ``change`` of the effect that ``work`` returns. Where the same operation was done
        before, what ``recall`` finds by the first one's entry is returned. ``verb`` is the operation's action
        unless it is given.

        Raises:
            OperationReusedError: The actor's operation id has served for something else.
        """
        operations = self.operations

        def recorded(tx: Transaction) -> Effect[T]:
            return operations.record(tx, operation, work, recall)

        def undone_if_refused(tx: Transaction) -> Effect[T]:
            try:
                with savepoint(tx):
                    return recorded(tx)
            except TickerError as error:
                operations.refuse_within(tx, operation, error)
                raise

        if session is not None:
            within = recorded if operations.actor is None else undone_if_refused
            with current_added(self.core, operation.kind):
                return self.in_transaction(within, session, verb=verb or operation.action, after=after)
        with writing(), self.refusals_recorded(operation):
            return self.in_transaction(recorded, None, verb=operation.action, after=after)

    def recalled(self, operation: Operation, recall: Recall[T]) -> T | None:
        """Return what ``recall`` finds of an operation that was done before; None of one that was not.

        For verbs that read what may be gone by then before they ``operate``.

        Raises:
            OperationReusedError: The actor's operation id has served for something else.
            TickerNotFoundError: It was done, and its result is gone since.
        """
        if not self.operations.may_be_repeated:
            return None
        with self.refusals_recorded(operation):
            return self.core.read(self.operations.recall, operation, recall)

    @contextmanager
    def refusals_recorded(self, operation: Operation) -> Iterator[None]:
        """Let the audit count that an operation is refused in the body."""
        try:
            with current_added(self.core, operation.kind):
                yield
        except TickerError as error:
            self.operations.refused(operation, error)
            raise

    def dispatch(self, ids: Collection[UUID]) -> None:
        """Publish runs that are due, now."""
        if ids:
            self._dispatch_now(ids)

    def namespace(self, wanted: str | None) -> str:
        """Return a ticker's namespace: its own, or that of this application."""
        return self.core.config.namespace if wanted is None else validation.name("namespace", wanted, 100)

    def known(
        self, tx: Transaction, tickers: Mapping[str, NamesFunction], *, allow_unknown: bool
    ) -> dict[tuple[str, str], Known]:
        """Return what is known of the functions that ``tickers``, by their positions, name.

        The keys are namespaces with names. Of Celery tasks nothing is kept but that they are known.

        Raises:
            UnknownFunctionError: One is registered neither here nor by any worker that ever was.
            UnknownTaskError: A Celery task is not imported here, and no stored ticker names it.
        """
        imported = None if allow_unknown else self.tasks.names()
        if imported is not None:
            refuse_unknown_tasks(tx, self.core, tickers, imported, self.namespace)
        found: dict[tuple[str, str], Known] = {}
        elsewhere: dict[str, dict[str, str]] = {}
        # Those of the ticker before, which most often names the same function.
        given, given_namespace = None, None
        for position, ticker in tickers.items():
            if ticker.task is not None or (ticker.function is given and ticker.namespace is given_namespace):
                continue
            given, given_namespace = ticker.function, ticker.namespace
            with naming(position):
                name = validation.function(given)
                namespace = self.namespace(given_namespace)
            # What was read from the store names each function by a text of its own.
            if (namespace, name) in found:
                continue
            function = self.core.registry.get(name) if namespace == self.core.config.namespace else None
            if function is not None:
                defaults = replace(self._defaults(function), timeout=function.timeout)
                plan = WorkPlan(function=name, namespace=namespace, defaults=defaults)
                found[namespace, name] = Known(plan=plan, expected=function.expected_request)
            else:
                elsewhere.setdefault(namespace, {}).setdefault(name, position)
        for namespace, positions in elsewhere.items():
            found |= self._known_elsewhere(tx.within(namespace), positions, allow_unknown=allow_unknown)
        return found

    def _known_elsewhere(
        self, tx: Transaction, positions: Mapping[str, str], *, allow_unknown: bool
    ) -> dict[tuple[str, str], Known]:
        """Return what the store knows of functions, by their names with a position that names each."""
        found: dict[tuple[str, str], Known] = {}
        namespace, records = tx.namespace, functions.find(tx, positions.keys())
        for name, position in positions.items():
            schema = None
            if name in records:
                defaults, schema = self._defaults(records[name]), records[name].request_schema
            elif allow_unknown:
                defaults = FunctionDefaults(priority_queues=self._priority_queues)
            else:
                other = None if namespace == self.core.config.namespace else namespace
                stored = functions.some_names(tx)
                raise self.core.registry.unknown(name, elsewhere=other, stored=stored).at(position)
            plan = WorkPlan(function=name, namespace=namespace, defaults=defaults)
            expected = ExpectedRequest(function=name, registered=schema)
            found[namespace, name] = Known(plan=plan, expected=expected)
        return found

    def packed(self, request: object, known: Known) -> Packed:
        """Return a request as it is stored, checked against what the function takes.

        That is what this process has of it, else the schema that its workers registered.

        Raises:
            TickerValidationError: It does not fit, or the function takes none, or it needs one.
        """
        expected = known.expected
        data = expected.encode(request, limit=self.core.config.payload_limit)
        problem = expected.check_registered(data)
        if problem is not None:
            logger.warning(
                "a request of function %s is stored unchecked: the schema that its workers registered cannot "
                "be used: %s",
                expected.function,
                problem,
            )
        return self.core.codec.pack(data)

    def _defaults(self, source: Any) -> FunctionDefaults:
        return FunctionDefaults(
            retries=source.retries,
            retry_intervals=source.retry_intervals,
            priority=int(source.priority),
            queue=source.queue,
            priority_queues=self._priority_queues,
        )


def refuse_async_session(session: object, *, verb: str) -> None:
    """Refuse the session of an event loop, which another verb of the same name takes.

    Raises:
        TickerValidationError: It names that verb.
    """
    refuse_asynchronous(session, instead=_INSTEAD.format(verb))


@contextmanager
def current_added(core: Core, kind: ObjectKind) -> Iterator[None]:
    """Add to refusals of the body what they are about, of this ``kind``, as it is committed by then."""
    try:
        yield
    except (TickerStateError, TickerBusyError) as error:
        if error.current is None:
            _add_current(core, kind, error)
        raise


def _add_current(core: Core, kind: ObjectKind, error: TickerStateError | TickerBusyError) -> None:
    with suppress(StoreError):
        if kind is ObjectKind.RUN:
            error.current = core.read(runs.get, error.ticker_id, codec=core.codec)
        elif kind is ObjectKind.CRON_TICKER:
            error.current = core.read(cron_tickers.get, error.ticker_id, codec=core.codec)
