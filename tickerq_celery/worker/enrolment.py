"""Write a worker's row and functions, seed their cron tickers, and say which seeders are due."""

from tickerq_celery.cron.seeding import seed_in
from tickerq_celery.enums import HoldReason
from tickerq_celery.functions.records import function_records
from tickerq_celery.runtime.core import Core
from tickerq_celery.runtime.node import NodeRegistration
from tickerq_celery.store.database.transaction import Transaction
from tickerq_celery.store.functions import functions, seeders
from tickerq_celery.store.runs import holds


def enrol(core: Core, registration: NodeRegistration) -> None:
    """Write a worker's row and functions, seed their cron tickers, and release what was held for them.

    Raises:
        StoreError: The database cannot be reached.
    """
    core.write(_enrol, core, registration)


def _enrol(tx: Transaction, core: Core, registration: NodeRegistration) -> None:
    if core.config.seed:
        seed_in(tx, core)
        _enrol_seeders(tx, core)
    else:
        functions.register(tx, list(function_records(core.registry)))
    registration.register(tx)
    holds.release(
        tx,
        reason=HoldReason.FUNCTION,
        keys=list(registration.profile.functions),
        limit=core.config.batch_size,
    )


def _enrol_seeders(tx: Transaction, core: Core) -> None:
    """Before the worker's own row is there: until its commit, no other worker decides whether it is alone."""
    own = list(core.registry.seeders)
    if own:
        seeders.enrol(
            tx,
            [each.name for each in own],
            unversioned=[each.name for each in own if each.version is None],
            node_id=core.node.id,
            lease=core.config.lease,
        )
