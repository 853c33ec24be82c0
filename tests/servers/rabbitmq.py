"""A RabbitMQ server of our own, beside any other on the machine."""

import fcntl
import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from amqp import Connection
from amqp.exceptions import AMQPError

from tests.servers.finding import program
from tests.servers.ports import free_port
from tests.servers.server import START_SECONDS, Server
from tests.servers.shared import locked

if TYPE_CHECKING:
    from tests.servers.process import ServerProcess

# So many virtual hosts are made when the server boots, which takes a tenth of a second each; and later so
# many by a command, which starts a virtual machine of Erlang and takes ten seconds on a busy machine.
_AT_BOOT, _AT_ONCE = 64, 32
# Debian's commands on the PATH switch to the packaged server's user and files; the scripts behind do not.
SCRIPTS = ("/usr/lib/rabbitmq/bin",)


class RabbitmqServer(Server):
    """RabbitMQ with a node name, port mapper, cookie and data of its own, and no plugins."""

    user = "rabbitmq"
    not_ready = (OSError, AMQPError)

    def __init__(self) -> None:
        super().__init__()
        self._distribution_port = free_port()
        self._mapper_port = free_port()
        self._mapper: ServerProcess | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def new_database(self) -> str:
        name = self._take_host() or self._made_host()
        # On a busy machine a new one answers late, its first queue above all: no test has to wait for that.
        address = f"127.0.0.1:{self.port}"
        with Connection(address, virtual_host=name, connect_timeout=START_SECONDS) as connection:
            connection.channel().queue_declare(exclusive=True)
        return f"amqp://guest:guest@{address}/{name}"

    def drop_database(self, url: str) -> None:
        """Leave it: it ends with the server, and to remove it alone takes a second."""

    def _take_host(self) -> str | None:
        """Take a virtual host that no process of the run has taken."""
        for path in self._spare.iterdir():
            with suppress(FileNotFoundError):
                path.unlink()
                return path.name
        return None

    def _made_host(self) -> str:
        # One process at a time: others wait for what it makes, instead of making as many each.
        with locked(self.folder / "making", fcntl.LOCK_EX):
            while (name := self._take_host()) is None:
                self._make_hosts(_AT_ONCE)
        return name

    def _make_hosts(self, count: int) -> None:
        names = _new_names(count)
        path = self.folder / f"{names[0]}.json"
        path.write_text(json.dumps(_definitions_of(names)))
        self.account.own(path)
        self.control("import_definitions", str(path))
        self._offer(names)

    @property
    def _spare(self) -> Path:
        """The folder with a file for each virtual host that may be taken, for all processes of the run."""
        return self.folder / "spare"

    def _offer(self, names: Sequence[str]) -> None:
        for name in names:
            (self._spare / name).touch()

    def prepare(self) -> None:
        hosts = _new_names(_AT_BOOT)
        self._spare.mkdir()
        self._offer(hosts)
        for name, content in self._files(hosts).items():
            path = self.folder / name
            path.write_text(content)
            self.account.own(path)
        # Started by the node itself it would outlive it.
        self._mapper = self.spawn([program("epmd"), "-port", str(self._mapper_port), "-address", "127.0.0.1"])

    def command(self) -> Sequence[str]:
        return [program("rabbitmq-server", before=SCRIPTS)]

    def close(self) -> None:
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper = None
        super().close()

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "_mapper": None}

    def environment(self) -> Mapping[str, str]:
        return {
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"tickerq{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": f"{self.folder}/rabbitmq-env.conf",
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{self.folder}/data",
            "RABBITMQ_LOG_BASE": f"{self.folder}/log",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{self.folder}/config",
            "RABBITMQ_PID_FILE": f"{self.folder}/pid",
        }

    def ping(self) -> None:
        with Connection(f"127.0.0.1:{self.port}", connect_timeout=5):
            pass

    def _files(self, hosts: Sequence[str]) -> Mapping[str, str]:
        settings = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "disk_free_limit.absolute": "50MB",
            # In milliseconds. A busy machine takes its ten seconds for one.
            "handshake_timeout": "60000",
            "load_definitions": f"{self.folder}/definitions.json",
        }
        # Where definitions are loaded, RabbitMQ makes no user and no host of its own.
        first = _definitions_of(["/", *hosts])
        guest = {"name": "guest", "password": "guest", "tags": "administrator"}
        return {
            "rabbitmq-env.conf": "",
            "enabled_plugins": "[].\n",
            "rabbitmq.conf": "".join(f"{name} = {value}\n" for name, value in settings.items()),
            "definitions.json": json.dumps({"users": [guest], **first}),
        }

    def control(self, *arguments: str) -> None:
        """Run a command of rabbitmqctl."""
        self.run(program("rabbitmqctl", before=SCRIPTS), "--quiet", *arguments)


def _new_names(count: int) -> list[str]:
    return [f"tickerq-test-{uuid.uuid4().hex[:12]}" for _ in range(count)]


def _definitions_of(hosts: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return what makes virtual hosts in which guest may do everything."""
    everything = {"user": "guest", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "vhosts": [{"name": name} for name in hosts],
        "permissions": [{"vhost": name, **everything} for name in hosts],
    }
