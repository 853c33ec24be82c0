"""One server of a kind for all processes of a test run: the first that needs it starts it."""

import fcntl
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.servers.server import Server


class RunsServer:
    """A server that the processes of a run have in common; its starter ends it, after all others are done."""

    def __init__(self, kind: str, folder: Path, make: Callable[[], Server]) -> None:
        self._file = folder / f"{kind}.server"
        self._use = ExitStack()
        self._is_ours = False
        with locked(folder / f"{kind}.starting", fcntl.LOCK_EX):
            # Waits while its owner, who waits for no other process any more, is ending it.
            self._use.enter_context(locked(self._lock, fcntl.LOCK_SH))
            self._server = self._join() or self._start(make())

    @property
    def url(self) -> str:
        """The address of the server."""
        return self._server.url

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        return self._server.new_database()

    def drop_database(self, url: str) -> None:
        """Remove a database made by ``new_database``."""
        self._server.drop_database(url)

    def close(self) -> None:
        """Use it no more; the process that started it waits for the others, and ends it."""
        self._use.close()
        if self._is_ours:
            with locked(self._lock, fcntl.LOCK_EX):
                self._file.unlink()
                self._server.close()

    @property
    def _lock(self) -> Path:
        return self._file.with_suffix(".used")

    def _join(self) -> Server | None:
        if not self._file.exists():
            return None
        server: Server = pickle.loads(self._file.read_bytes())
        try:
            server.ping()
        except server.not_ready:
            # The process that had started it was killed, and its guard has ended it.
            return None
        return server

    def _start(self, server: Server) -> Server:
        server.__enter__()
        self._is_ours = True
        self._file.write_bytes(pickle.dumps(server))
        return server


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Hold a lock of the system, which ends with this process at the latest."""
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
