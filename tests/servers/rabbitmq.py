"""A RabbitMQ server of our own, beside any other on the machine."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from amqp import Connection
from amqp.exceptions import AMQPError

from tests.servers.finding import program
from tests.servers.ports import free_port
from tests.servers.server import Server

if TYPE_CHECKING:
    from tests.servers.process import ServerProcess

_AT_ONCE = 8
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
        self._spare: list[str] = []

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def new_database(self) -> str:
        if not self._spare:
            self._spare = self._new_virtual_hosts(_AT_ONCE)
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{self._spare.pop()}"

    def drop_database(self, url: str) -> None:
        """Leave it: it ends with the server, and to remove it alone takes a second."""

    def _new_virtual_hosts(self, count: int) -> list[str]:
        """Make several by one command: each command starts a virtual machine, which takes a second."""
        names = [f"tickerq-test-{uuid.uuid4().hex[:12]}" for _ in range(count)]
        everything = {"user": "guest", "configure": ".*", "write": ".*", "read": ".*"}
        definitions = {
            "vhosts": [{"name": name} for name in names],
            "permissions": [{"vhost": name, **everything} for name in names],
        }
        path = self.folder / "definitions.json"
        path.write_text(json.dumps(definitions))
        self.account.own(path)
        self._control("import_definitions", str(path))
        return names

    def prepare(self) -> None:
        for name, content in self._files().items():
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

    def _files(self) -> Mapping[str, str]:
        return {
            "rabbitmq-env.conf": "",
            "enabled_plugins": "[].\n",
            "rabbitmq.conf": f"listeners.tcp.1 = 127.0.0.1:{self.port}\ndisk_free_limit.absolute = 50MB\n",
        }

    def _control(self, *arguments: str) -> None:
        self.run(program("rabbitmqctl", before=SCRIPTS), "--quiet", *arguments)
