"""Stores and brokers that a test makes unreachable, and what they lose."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from redis import Redis

from tests.acceptance.jobs import Jobs
from tests.inner import transport
from tests.servers.redis_databases import RESERVED


class Outage(Protocol):
    """What can be stopped, and started again with its data; a server of tests/servers is one."""

    @property
    def url(self) -> str:
        """Its address."""

    def stop(self) -> None:
        """Make it unreachable."""

    def start(self) -> None:
        """Make it reachable again."""


class FileStore:
    """A SQLite file: while it is unreachable, a folder of its name replaces it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_suffix(".aside")

    @property
    def url(self) -> str:
        return f"sqlite:///{self._path}"

    def stop(self) -> None:
        self._path.rename(self._aside)
        self._path.mkdir()

    def start(self) -> None:
        self._path.rmdir()
        self._aside.rename(self._path)


class FolderBroker:
    """The embedded broker's folder: while it is unreachable, a file of its name replaces it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._aside = path.with_suffix(".aside")

    @property
    def url(self) -> str:
        return transport.broker_url(self._path)

    def stop(self) -> None:
        self._path.rename(self._aside)
        self._path.touch()

    def start(self) -> None:
        self._path.unlink()
        self._aside.rename(self._path)


def is_write_locked(store_url: str) -> bool:
    """Return True if a process has the write lock of a SQLite file, of which there is only one."""
    path = store_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return True
        return False


def waiting_messages(jobs: Jobs) -> int:
    """Return how many messages no worker has taken from the queue yet."""
    with jobs.tickerq.app.connection_for_read() as connection:
        return int(connection.default_channel.queue_declare(jobs.namespace, passive=True).message_count)


def lose_messages(jobs: Jobs, broker_url: str) -> None:
    """Let the broker lose all that waits: Redis is flushed, the embedded broker's files deleted."""
    if broker_url.startswith("redis"):
        with Redis.from_url(broker_url) as redis:
            reserved = redis.get(RESERVED)
            redis.flushdb()
            if reserved is not None:
                redis.set(RESERVED, reserved)
        return
    if broker_url.startswith("amqp"):
        with jobs.tickerq.app.connection_for_write() as connection:
            connection.default_channel.queue_purge(jobs.namespace)
        return
    shutil.rmtree(next(jobs.folder.glob(f"broker/**/messages/{jobs.namespace}")))
