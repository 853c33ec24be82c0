"""A Redis server that was given to the tests."""

from collections.abc import Callable

from redis import Redis

from tests.servers.owner import new_owner, owner_in
from tests.servers.redis_databases import marks, release_database, reserve_database


class GivenRedis:
    """A running Redis, of which tests use databases that are empty, and empty what dead ones left."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._owner = new_owner()
        self._connection = Redis.from_url(url, client_name=self._owner, single_connection_client=True)
        self._empty_of(lambda owner: not self._lives(owner))

    def new_database(self) -> str:
        """Reserve an empty database and return its address."""
        return reserve_database(self.url, self._owner)

    def drop_database(self, url: str) -> None:
        """Give a database back, emptied."""
        release_database(url, self._owner)

    def close(self) -> None:
        """Empty what is left of ours, and leave the server running: it is not ours."""
        self._empty_of(lambda owner: owner == self._owner)
        self._connection.close()

    def _lives(self, owner: str) -> bool:
        return any(client["name"] == owner for client in self._connection.client_list())

    def _empty_of(self, is_meant: Callable[[str], bool]) -> None:
        for url, mark in marks(self.url).items():
            owner = owner_in(mark)
            if owner is not None and is_meant(owner):
                release_database(url, owner)
