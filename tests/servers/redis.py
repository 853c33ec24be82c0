"""A Redis server of our own."""

from collections.abc import Sequence

from redis import Redis
from redis.exceptions import RedisError

from tests.servers import redis_databases
from tests.servers.finding import program
from tests.servers.server import Server


class RedisServer(Server):
    """Redis: keeps nothing over a stop, unless ``append_only``: then each answered change is on disk."""

    user = "redis"
    not_ready = (RedisError,)

    def __init__(self, *, append_only: bool = False, options: Sequence[str] = ()) -> None:
        super().__init__()
        self._append_only = append_only
        self._options = options

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def new_database(self) -> str:
        return redis_databases.reserve_database(self.url)

    def drop_database(self, url: str) -> None:
        redis_databases.release_database(url)

    def prepare(self) -> None:
        pass

    def command(self) -> Sequence[str]:
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "save": "",
            "databases": "1024",
            "appendonly": "yes" if self._append_only else "no",
            "appendfsync": "always",
        }
        pairs = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [program("redis-server"), *pairs, *self._options]

    def ping(self) -> None:
        with Redis(port=self.port) as connection:
            connection.ping()
