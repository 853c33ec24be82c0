"""A PostgreSQL or MariaDB server that was given to the tests."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.servers.owner import new_owner, owner_in
from tests.servers.sql_databases import create_database, drop_database


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a connection shows to all users of the server, in any database of it, which owner it is of."""

    show: str
    is_shown: str
    databases: str


POSTGRES = Kind(
    show="SET application_name = '{owner}'",
    is_shown="SELECT count(*) FROM pg_stat_activity WHERE application_name = '{owner}'",
    databases="SELECT datname FROM pg_database",
)
MARIADB = Kind(
    # It must outlive its time limit for a silent connection, eight hours: no run takes a year.
    show="SET wait_timeout = 31536000, @owns = GET_LOCK('{owner}', 0)",
    is_shown="SELECT IS_USED_LOCK('{owner}') IS NOT NULL",
    databases="SHOW DATABASES",
)


class GivenSql:
    """A running server, in which tests make databases of their own, and drop what dead ones left."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._kind = POSTGRES if make_url(url).get_backend_name() == "postgresql" else MARIADB
        self._owner = new_owner()
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection = engine.connect()
        self._connection.execute(text(self._kind.show.format(owner=self._owner)))
        self._drop_of(lambda owner: not self._lives(owner))

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        return create_database(self.url, self._owner)

    def drop_database(self, url: str) -> None:
        """Remove a database made by ``new_database``."""
        drop_database(self.url, url)

    def close(self) -> None:
        """Drop what is left of ours, and leave the server running: it is not ours."""
        self._drop_of(lambda owner: owner == self._owner)
        self._connection.close()

    def _lives(self, owner: str) -> bool:
        return bool(self._connection.scalar(text(self._kind.is_shown.format(owner=owner))))

    def _drop_of(self, is_meant: Callable[[str], bool]) -> None:
        # Listed first: whoever made one of these before was shown already.
        for name in self._connection.scalars(text(self._kind.databases)).all():
            owner = owner_in(name)
            if owner is not None and is_meant(owner):
                with suppress(DBAPIError):  # another run just drops it, or only its own user may
                    self.drop_database(
                        make_url(self.url).set(database=name).render_as_string(hide_password=False)
                    )
