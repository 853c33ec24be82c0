"""What the side bar counts beside the names of its pages: bounded, and read beside the health report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tickerq_celery.views import NodeState
from tickerq_dashboard.reading.failures import NEW_FOR, failures_of
from tickerq_dashboard.reading.reader import Reader

# As many as one read of a list returns; and, in seconds, for how long they are good, as nobody acts on them.
MOST, FRESH = 200, 60.0
_ABSENT = {NodeState.SILENT, NodeState.DEAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCount:
    """A number beside a page's name, with a word where one is needed; ``is_bad`` asks for a look."""

    text: str
    is_bad: bool = False


def side_counts(reader: Reader) -> Mapping[str, SideCount]:
    """Return the numbers by the endpoints of their pages; a page has none where there is nothing to say.

    Raises:
        QueryTooWideError: Reading one takes too long.
    """
    return dict(_counts(reader))


def _counts(reader: Reader) -> Iterator[tuple[str, SideCount]]:
    crons = reader.cached(
        "number of crons", lambda: len(reader.tickerq.cron_tickers.by_name(limit=MOST)), fresh=FRESH
    )
    yield "crons", _number(crons)
    names = reader.cached(
        "number of functions", lambda: reader.tickerq.functions.names("", limit=MOST), fresh=FRESH
    )
    yield "functions", _number(sum(each.is_function for each in names))
    new = reader.cached("number of new errors", lambda: _new_errors(reader), fresh=FRESH)
    if new:
        yield "errors", SideCount(text=f"{new} new", is_bad=True)
    nodes = reader.nodes()
    absent = sum(each.state in _ABSENT for each in nodes)
    yield "nodes", SideCount(text=f"{absent} down", is_bad=True) if absent else _number(len(nodes))


def _number(count: int) -> SideCount:
    return SideCount(text=f"{count}+" if count >= MOST else str(count))


def _new_errors(reader: Reader) -> int:
    """Return how many exceptions are new."""
    found = failures_of(reader, NEW_FOR, reader.now(), reader.uncounted())
    return sum(each.is_new for each in found)
