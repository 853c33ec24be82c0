"""A database with a long history, and what the public reads send to it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.inner import Database, resolved_url
from tests.integration.apps import ticker_app
from tests.plans import history
from tests.plans.explaining import LARGE, Plan, Sent, explain, queries
from tests.plans.history import History
from tests.servers.schema_template import make_schema
from tickerq_celery import TickerQ

Read = Callable[[TickerQ, History], object]
# What is wrong is to be seen in its plan, and not by how long it takes on a busy machine.
_BUDGET = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A database with a long history."""

    url: str
    database: Database
    history: History
    _of_small_tables: dict[str, Plan] = field(default_factory=dict)

    def set_active(self, count: int) -> None:
        """Let so many runs be in progress, and of each other state that has not ended as many."""
        self.database.write(lambda connection: history.set_active(connection, self.history, count))

    def plans(self, read: Read, tickerq: TickerQ) -> Sequence[Plan]:
        """Read by the public API, and return the plan of each query that was sent."""
        return [self._plan(each) for each in self.sent(read, tickerq)]

    def sent(self, read: Read, tickerq: TickerQ) -> Sequence[Sent]:
        """Read by the public API, and return the queries that were sent."""
        with queries() as sent:
            read(tickerq, self.history)
        return sent

    def _plan(self, sent: Sent) -> Plan:
        if any(table in sent.statement for table in LARGE):
            return self.database.read(partial(explain, sent=sent))
        # Of a handful of rows: each page asks for those, and their plan is one.
        if sent.statement not in self._of_small_tables:
            self._of_small_tables[sent.statement] = self.database.read(partial(explain, sent=sent))
        return self._of_small_tables[sent.statement]

    @contextmanager
    def app(self, namespace: str) -> Iterator[TickerQ]:
        """Give a TickerQ of a namespace, whose reads may take long."""
        with ticker_app(self.url, namespace, read_budget=_BUDGET) as tickerq:
            yield tickerq


@contextmanager
def long_history(url: str, runs: int) -> Iterator[Stored]:
    """Give an empty database its tables, and write so many ended runs."""
    make_schema(url)
    with closing(Database(resolved_url(url, Path.cwd()), is_bounded=False)) as database:
        yield Stored(url=url, database=database, history=database.write(lambda to: history.build(to, runs)))
