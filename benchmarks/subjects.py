"""What a measure consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = "tickerq-celery"
POSTGRES, MARIADB, SQLITE, REDIS, RABBITMQ = "postgres", "mariadb", "sqlite", "redis", "rabbitmq"
DATABASES = {POSTGRES: "PostgreSQL", MARIADB: "MariaDB", SQLITE: "SQLite"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One function that is called once a round, in a process of its own.

    ``path`` is ``module:function``; ``environment`` names a peer's requirement file, None is this project's.
    ``count`` is how much it does, ``quick`` how much in a quick run; ``keywords`` go with the call.
    """

    name: str
    path: str
    count: int
    quick: int
    environment: str | None = None
    store: str | None = None
    broker: str | None = None
    keywords: Mapping[str, object] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """The kinds of servers it cannot do without."""
        return tuple(kind for kind in (self.store, self.broker) if kind is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Subjects that do the same work.

    Those without the like of our cases are compared with our first. One run may take ``seconds``; once all
    have taken ``total_seconds`` no further round begins. A plain run does those that are ``is_default``; a
    quick one, of these, those that are ``is_quick``. ``ceilings`` are subjects that do only a part of the
    work: they are in the tables, and not in the summary chart. ``charted`` is the only quantity that charts
    show, None all.
    """

    name: str
    title: str
    text: str
    subjects: tuple[Subject, ...]
    seconds: float = 60.0
    total_seconds: float = 420.0
    is_default: bool = True
    is_quick: bool = True
    ceilings: frozenset[str] = frozenset()
    charted: str | None = None
