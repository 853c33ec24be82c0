"""Makes the process of a test the live worker and beat of its store, with all functions and entries."""

from dataclasses import replace

from celery import Celery
from sqlalchemy import delete

from tickerq_celery.beat.beat_schedule import SETTING, read_entries
from tickerq_celery.beat.entry_reconciler import EntryReconciler
from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import ConfigError
from tickerq_celery.runtime.core import Core, new_identity
from tickerq_celery.runtime.node import NodeRegistration, profile
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.tables import cron_tickers
from tickerq_celery.worker.enrolment import enrol


class Enrolment:
    """Registers what the app has now, and once more when it has got further functions."""

    def __init__(self, app: Celery, core: Core) -> None:
        self._app = app
        self._core = core
        self._beat_core = replace(core, node=new_identity(core.config.node_identifier))
        self._functions: frozenset[str] | None = None
        limit = core.config.payload_limit
        entries = read_entries(app, app.conf.beat_schedule, payload_limit=limit)
        if entries.refused:
            # A beat runs the others; a test should not pass beside an entry that never runs.
            raise ConfigError(SETTING, "; ".join(entries.refused))
        self._entries = entries.kept

    def renew(self) -> None:
        """Register, and seed what code defines, unless nothing is new.

        Raises:
            StoreError: The database cannot be reached.
        """
        functions = frozenset(function.name for function in self._core.registry)
        if functions != self._functions:
            self._register()
            self._functions = functions

    def begin_anew(self) -> None:
        """Let the cron tickers that code defines count from now.

        Raises:
            StoreError: The database cannot be reached.
        """
        self._core.write(_forget_seeds)
        self._register()

    def _register(self) -> None:
        enrol(self._core, NodeRegistration(profile(self._core, NodeKind.WORKER)))
        if self._entries:
            reconciler = EntryReconciler(self._beat_core, self._entries)
            beat = profile(self._beat_core, NodeKind.BEAT, entries=reconciler.keys)
            self._core.write(NodeRegistration(beat).register)
            reconciler.reconcile()


def _forget_seeds(tx: Transaction) -> None:
    tx.execute(
        delete(cron_tickers).where(
            cron_tickers.c.namespace == tx.namespace, cron_tickers.c.seed_key.is_not(None)
        )
    )
