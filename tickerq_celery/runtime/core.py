"""What the parts of one TickerQ share, wired once."""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from tickerq_celery.clock import Clock
from tickerq_celery.functions.definition import Function
from tickerq_celery.functions.registry import Registry
from tickerq_celery.ids import new_id
from tickerq_celery.payload.codec import RequestCodec, codec_of
from tickerq_celery.payload.text_redaction import kept_as_it_is
from tickerq_celery.runtime.config import TickerConfig
from tickerq_celery.runtime.reader import Reader
from tickerq_celery.store.database.database import Database
from tickerq_celery.store.database.schema import verify_once
from tickerq_celery.store.database.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """A process that writes: ``id`` is what its rows name it by, ``name`` is for people."""

    id: UUID
    name: str
    host: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Settings, clock, database, functions and identity.

    ``redact`` is given each text that a function leaves, and returns what is kept of it.
    """

    config: TickerConfig
    clock: Clock
    database: Database
    registry: Registry
    node: NodeIdentity
    redact: Callable[[str], str] = kept_as_it_is
    reader: Reader = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        config = self.config
        reader = Reader(self.database, connections=config.read_connections, budget=config.read_budget)
        object.__setattr__(self, "reader", reader)

    def transaction(self, connection: Connection) -> Transaction:
        """Return the transaction that a connection is in, on this clock and in this namespace."""
        return Transaction(connection, self.clock, self.config.namespace)

    def writing(self, connection: Connection) -> Transaction:
        """Return the same for a transaction that writes: the first one of a process looks at the tables.

        Raises:
            SchemaError: This version cannot work with them.
        """
        verify_once(self.database, connection)
        return self.transaction(connection)

    def write(self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a transaction, commit, and return what it returned; see ``Database``.

        Raises:
            StoreError: The database cannot be reached, or refused every try.
            SchemaError: This version cannot work with the store's tables.
        """
        return self.database.run(self.writing, work, args, kwargs, reading=False)

    def write_alone(
        self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``work``, whose last statement alone writes, and commits itself; see ``Database``.

        Raises:
            LostAnswerError: The connection was lost, so that whether it was written is unknown.
            StoreError: The database cannot be reached, or refused every try: nothing is written.
        """
        return self.database.run(self.writing, work, args, kwargs, reading=False, is_alone=True)

    def read(self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a transaction that writes nothing, and return what it returned.

        Raises:
            StoreError: The database cannot be reached, or refused every try.
        """
        return self.database.run(self.transaction, work, args, kwargs, reading=True)

    def read_bounded(
        self, work: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do the same for a person or a page that waits: on connections of its own, and for a limited time.

        Raises:
            QueryTooWideError: It took longer than ``read_budget``.
            StoreError: The database cannot be reached, refused every try, or did not answer.
        """
        return self.reader.read(self.transaction, work, args, kwargs)

    def close(self) -> None:
        """Close this process's connections to the store; the next use opens new ones."""
        self.reader.close()
        self.database.close()

    def queue_of(self, function: Function) -> str | None:
        """Return the queue of a function's runs, or None where Celery's router decides."""
        named = function.queue
        return self.config.priority_queues.get(function.priority) if named is None else named

    @property
    def queues(self) -> dict[str, str | None]:
        """The queue of each function of this process, by name; None where Celery's router decides."""
        return {function.name: self.queue_of(function) for function in self.registry}

    @property
    def possible_queues(self) -> list[tuple[str, str | None]]:
        """The queue of each function of this process, and those that the priority of a run may lead to."""
        return [
            *self.queues.items(),
            *(("any function", each) for each in self.config.priority_queues.values()),
        ]

    @property
    def codec(self) -> RequestCodec:
        """How requests are kept and shown."""
        config = self.config
        return codec_of(config.compress_over, tuple(config.encryption_keys), tuple(config.redact))


def new_identity(prefix: str | None, own_name: str | None = None) -> NodeIdentity:
    """Return an identity that no other process has, on this host or elsewhere.

    Its name begins with the prefix that is set, or else with the ``own_name`` of a worker, such as w1@shop.
    """
    host = socket.gethostname()
    start = (own_name or host) if prefix is None else f"{prefix}@{host}"
    pid = os.getpid()
    return NodeIdentity(
        id=new_id(), name=f"{start[:150]}:{pid}:{secrets.token_hex(3)}", host=host[:200], pid=pid
    )
