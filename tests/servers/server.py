"""What all servers of our own have in common: start, stop, kill, restart, and leave nothing behind."""

import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

from tests.run_mark import inherited
from tests.servers.account import Account, account_for
from tests.servers.ports import free_port
from tests.servers.process import ServerProcess, clean_environment

START_SECONDS = 90.0


class Server(ABC):
    """A server with its data in a temporary folder; port and data survive a stop, a kill and a restart."""

    user: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    # The quickest way to end it for good; SIGKILL, unless that leaves something behind.
    end_signal: ClassVar[signal.Signals] = signal.SIGKILL
    not_ready: ClassVar[tuple[type[Exception], ...]] = (OSError,)

    def __init__(self) -> None:
        self.port = free_port()
        self._account: Account | None = None
        self._folder: Path | None = None
        self._process: ServerProcess | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address of the server, for SQLAlchemy or for Celery."""

    @abstractmethod
    def new_database(self) -> str:
        """Make an empty database (or what the server calls so) and return its address."""

    @abstractmethod
    def drop_database(self, url: str) -> None:
        """Remove a database made by ``new_database``."""

    @property
    def account(self) -> Account:
        """The user that the server runs as."""
        if self._account is None:
            self._account = account_for(self.user)
        return self._account

    @property
    def folder(self) -> Path:
        """The temporary folder, which the first start makes."""
        if self._folder is None:
            raise RuntimeError("the server was never started")
        return self._folder

    @property
    def pid(self) -> int:
        """The id of its process, and of its process group."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the server and return once it answers."""
        if self._folder is None:
            self._folder = self.account.make_folder(f"tickerq-{self.user}-")
            self.prepare()
        self._process = self.spawn(self.command())
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Let the server end in good order."""
        if self._process is not None:
            self._process.stop(self.stop_signal)
            self._process = None

    def kill(self) -> None:
        """End the server as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def freeze(self) -> None:
        """Let the server accept connections and requests, and answer none, until ``thaw``."""
        if self._process is not None:
            self._process.freeze()

    def thaw(self) -> None:
        """Let a frozen server go on where it stood."""
        if self._process is not None:
            self._process.thaw()

    def restart(self) -> None:
        """Stop the server if it runs, and start it on the same port and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server the quick way and remove its data."""
        if self._process is not None:
            self._process.stop(self.end_signal)
            self._process = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __getstate__(self) -> dict[str, object]:
        """Return what another process needs to use the server, which it can neither stop nor remove."""
        return {**vars(self), "_process": None}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def prepare(self) -> None:
        """Fill the folder before the first start."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line that runs the server in the foreground."""

    @abstractmethod
    def ping(self) -> None:
        """Return if the server answers, and raise one of ``not_ready`` if it does not yet."""

    def environment(self) -> Mapping[str, str]:
        """Return the variables that its programs need besides PATH and HOME."""
        return {}

    def run(self, *command: str) -> str:
        """Run one of the server's other programs to its end and return what it printed."""
        environment = {**inherited(), **clean_environment(self.folder, self.environment())}
        return self.account.run(command, folder=self.folder, environment=environment)

    def spawn(self, command: Sequence[str]) -> ServerProcess:
        """Start one of the server's processes."""
        return ServerProcess(
            command,
            folder=self.folder,
            account=self.account,
            environment=self.environment(),
            end_signal=self.end_signal,
        )

    def _wait_until_ready(self, process: ServerProcess) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.ping()
            except self.not_ready as error:
                if not process.is_alive() or time.monotonic() > deadline:
                    log = (self.folder / "server.log").read_text(errors="replace")
                    raise RuntimeError(f"{type(self).__name__} did not start:\n{log[-4000:]}") from error
            time.sleep(0.05)
