"""Run the seeders of a worker that has enrolled, each in a transaction with the row that says so."""

import logging
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from enum import Enum

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tickerq_celery.errors import StoreError
from tickerq_celery.functions.seeders import Seeder
from tickerq_celery.runtime.backoff import Backoff
from tickerq_celery.runtime.core import Core
from tickerq_celery.store.database.errors import is_transient
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.database.urls import database_file
from tickerq_celery.store.functions import seeders
from tickerq_celery.worker.fork_gate import fork_gate

logger = logging.getLogger(__name__)
_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LONGEST_STOP = 5.0


class Seeding(Enum):
    """What became of a seeder in this process."""

    RAN = "ran"
    NOT_WANTED = "not wanted"
    FAILED = "failed"
    ELSEWHERE = "elsewhere"
    UNREACHABLE = "unreachable"


_UNDECIDED = {Seeding.ELSEWHERE, Seeding.UNREACHABLE}


class _SeederError(Exception):
    """A seeder has raised what is its cause."""


def run_seeder(core: Core, seeder: Seeder) -> Seeding:
    """Run a seeder if the store says that it has to run; what it writes and that row commit together.

    One that raises is rolled back and stays due. ``ELSEWHERE``: another worker has it locked.
    """
    try:
        outcome = core.write(_run, seeder, core.node.name)
    except _SeederError as error:
        _log_failure(seeder, error.__cause__)
        return Seeding.FAILED
    except StoreError as error:
        logger.warning("seeder %s waits: %s", seeder.name, error)
        return Seeding.UNREACHABLE
    # Whatever the database did not take: the seeders that follow are none the worse.
    except Exception as error:  # noqa: BLE001
        _log_failure(seeder, error)
        return Seeding.FAILED
    if outcome is Seeding.RAN:
        logger.info("seeder %s has run", seeder.name)
    return outcome


def _log_failure(seeder: Seeder, cause: BaseException | None) -> None:
    logger.error(
        "seeder %s has failed and is rolled back, a worker that starts or waits for it runs it again",
        seeder.name,
        exc_info=cause,
    )


def _run(tx: Transaction, seeder: Seeder, node: str) -> Seeding:
    state = seeders.lock(tx, seeder.name)
    if state is None:
        return Seeding.ELSEWHERE
    if not seeder.is_wanted(ran_version=state.version, is_due=state.is_due):
        return Seeding.NOT_WANTED
    _call(seeder, tx)
    seeders.record(tx, seeder.name, version=seeder.version, node=node)
    return Seeding.RAN


def _call(seeder: Seeder, tx: Transaction) -> None:
    # What the seeder commits or rolls back is a savepoint: the lock is kept until the row is written.
    session = Session(tx.connection, join_transaction_mode="create_savepoint")
    try:
        seeder.body(session)
        session.commit()
    except DBAPIError as error:
        # A deadlock is tried again, and an outage waited for. All else is the seeder's own statement.
        if is_transient(error):
            raise
        raise _SeederError from error
    except (Exception, SystemExit) as error:
        raise _SeederError from error
    finally:
        # After a deadlock there may be no savepoint to go back to; the transaction is undone anyway.
        with suppress(DBAPIError):
            session.close()


class SeedingThread(threading.Thread):
    """Runs seeders one after the other, so that a long one holds up neither heartbeats nor runs.

    Where another worker has a seeder locked, it waits: those that follow may need what that one seeds.
    """

    def __init__(self, core: Core, seeders: Iterable[Seeder]) -> None:
        super().__init__(name="tickerq-seeders", daemon=True)
        self._core = core
        self._seeders = list(seeders)
        self._stopped = threading.Event()

    def run(self) -> None:
        for seeder in self._seeders:
            self._seed(seeder)

    def _seed(self, seeder: Seeder) -> None:
        outage = Backoff(_PAUSE, _LONGEST_PAUSE)
        while not self._stopped.is_set():
            outcome = self._seeded(seeder)
            if outcome not in _UNDECIDED:
                return
            # Each try while the store is unreachable logs a warning.
            self._stopped.wait(outage.next() if outcome is Seeding.UNREACHABLE else _PAUSE)

    def stop(self) -> None:
        """Run no further seeder; one that does not end soon is left to the end of the process."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=_LONGEST_STOP)

    def _seeded(self, seeder: Seeder) -> Seeding:
        with self._gate():
            return run_seeder(self._core, seeder)

    def _gate(self) -> AbstractContextManager[None]:
        # On a file no heartbeat is written meanwhile either, as there is one writer at a time.
        return nullcontext() if database_file(self._core.database.url) is None else fork_gate().shut()
