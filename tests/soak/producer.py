"""Adds the workload, and notes of each ticker whether its transaction committed."""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.soak.traces import Added, Certainty
from tests.soak.workload import RETRY_INTERVALS, Delivery, Order, Way, Workload
from tickerq_celery import Run, TickerQ, TimeTicker
from tickerq_celery.errors import StoreError

logger = logging.getLogger(__name__)
_UNREACHABLE = (StoreError, DBAPIError)


class Producer(threading.Thread):
    """An application that goes on adding tickers, whatever happens to the database and the broker."""

    def __init__(self, tickerq: TickerQ, engine: Engine, workload: Workload) -> None:
        super().__init__(name="producer", daemon=True)
        self._tickerq = tickerq
        self._engine = engine
        self._workload = workload
        self._stopped = threading.Event()
        self._added: list[Added] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                delivery = self._workload.next()
                self._stopped.wait(delivery.pause)
                self._deliver(delivery)
        except BaseException as error:
            logger.exception("the producer has ended")
            self.error = error

    def stop(self) -> tuple[Added, ...]:
        """End it, and return what it added."""
        self._stopped.set()
        self.join(60)
        if self.error is not None or self.is_alive():
            raise RuntimeError("the producer did not do its work") from self.error
        return tuple(self._added)

    def _deliver(self, delivery: Delivery) -> None:
        now = datetime.now(UTC)
        dues = [now + timedelta(seconds=order.delay) for order in delivery.orders]
        batch = [ticker(order, due) for order, due in zip(delivery.orders, dues, strict=True)]
        runs, certainty = self._add(batch, delivery.way)
        ids: Sequence[UUID | None] = [run.id for run in runs] or [None] * len(batch)
        for order, due, ticker_id in zip(delivery.orders, dues, ids, strict=True):
            head = added(order, due, certainty)
            self._added += [replace(head, ticker_id=ticker_id), *added_below(order, head)]

    def _add(self, batch: Sequence[TimeTicker], way: Way) -> tuple[Sequence[Run], Certainty]:
        if way is not Way.CALL:
            return self._add_with_session(batch, commits=way is Way.SESSION)
        try:
            runs = self._tickerq.time_tickers.add_batch(batch, allow_unknown=True)
        except _UNREACHABLE:
            return (), Certainty.UNKNOWN
        return runs, Certainty.COMMITTED

    def _add_with_session(
        self, batch: Sequence[TimeTicker], *, commits: bool
    ) -> tuple[Sequence[Run], Certainty]:
        runs: Sequence[Run] = ()
        certainty = Certainty.ROLLED_BACK
        try:
            with Session(self._engine) as session:
                runs = self._tickerq.time_tickers.add_batch(batch, session=session, allow_unknown=True)
                if commits:
                    certainty = Certainty.UNKNOWN
                    session.commit()
                    certainty = Certainty.COMMITTED
                else:
                    session.rollback()
        except _UNREACHABLE:
            logger.debug("the database is unreachable")
        return runs, certainty


def added(order: Order, due: datetime, certainty: Certainty) -> Added:
    """Return what is noted of an order whose id is not known."""
    return Added(
        serial=order.serial,
        ticker_id=None,
        certainty=certainty,
        due=due,
        fails=order.fails,
        retries=order.retries,
        condition=order.condition,
    )


def added_below(order: Order, parent: Added) -> Iterator[Added]:
    """Yield what is noted of the children of an order: they are there if their parent is."""
    rolled_back = parent.certainty is Certainty.ROLLED_BACK
    certainty = Certainty.ROLLED_BACK if rolled_back else Certainty.UNKNOWN
    for each in order.children:
        child = replace(added(each, parent.due, certainty), follows=order.serial)
        yield child
        yield from added_below(each, child)


def ticker(order: Order, due: datetime | None) -> TimeTicker:
    """Return what is added for an order; a child has no moment of its own."""
    return TimeTicker(
        function=order.function,
        execution_time=due,
        request=order.request(),
        retries=order.retries,
        retry_intervals=RETRY_INTERVALS,
        concurrency_key=order.key,
        run_condition=order.condition,
        children=[ticker(child, None) for child in order.children],
    )
