"""Lists as files: read page by page while they are sent, so that none is in memory as a whole."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from flask import Response

from tickerq_celery.errors import TickerError
from tickerq_dashboard.api.answering import may_see
from tickerq_dashboard.api.fields import Answer
from tickerq_dashboard.api.run_answers import RunItem
from tickerq_dashboard.api.system_answers import AuditItem
from tickerq_dashboard.audit_filters import AuditFilters
from tickerq_dashboard.commands.exports import Export, ExportRuns
from tickerq_dashboard.parsing import query_of
from tickerq_dashboard.payload_rights import check_filter
from tickerq_dashboard.run_filters import RunFilters
from tickerq_dashboard.show.tables import FORMATS, Row
from tickerq_dashboard.visits import Visit

MOST_ROWS, PAGE, MOST_READS = 10_000, 200, 200
VERB = "dashboard.export"


class Pages(Protocol):
    """A page of a list, with where it goes on."""

    def __iter__(self) -> Iterator[Any]: ...
    @property
    def next_cursor(self) -> str | None: ...


def export_runs(visit: Visit, command: ExportRuns) -> Response:
    """Return the runs of a list that its filter matches, as a file."""
    asked = query_of(command.filter, RunFilters)
    check_filter(visit, asked)
    criteria = asked.criteria
    read = getattr(visit.dashboard.tickerq.runs, command.listing)
    sees = may_see(visit)
    rows = _rows(
        lambda cursor: read(limit=PAGE, cursor=cursor, **criteria),
        lambda run: RunItem.seen(run, may_see=sees),
    )
    return _file(visit, f"runs-{command.listing}", command, RunItem, rows)


def export_audit(visit: Visit, command: Export) -> Response:
    """Return the entries of the audit that a filter matches, as a file."""
    criteria = query_of(command.filter, AuditFilters).criteria
    read = visit.dashboard.tickerq.audit.find
    rows = _rows(lambda cursor: read(limit=PAGE, cursor=cursor, **criteria), AuditItem.model_validate)
    return _file(visit, "audit", command, AuditItem, rows)


def _rows(read: Callable[[str | None], Pages], seen: Callable[[Any], Answer]) -> Iterator[Row]:
    """Yield rows until there are no more; the last one says so if the bound is met, or the store fails."""
    cursor, sent = None, 0
    for _ in range(MOST_READS):
        try:
            page = read(cursor)
        except TickerError:
            yield {"id": f"not all: the store could not be read further after {sent:,} rows"}
            return
        for each in page:
            if sent == MOST_ROWS:
                yield {"id": f"not all: there is more than these {sent:,} rows. Narrow the filter"}
                return
            yield seen(each).model_dump(mode="json")
            sent += 1
        cursor = page.next_cursor
        if cursor is None:
            return
    yield {"id": f"not all: {sent:,} rows are what the first {MOST_READS} reads found. Narrow the filter"}


def _file(visit: Visit, name: str, command: Export, model: type[Answer], rows: Iterable[Row]) -> Response:
    """Return a file that is made while it is sent, once it stands in the audit who took what along."""
    visit.dashboard.tickerq.acting_as(visit.actor()).audit.record(
        VERB, object_id=name, reason=f"{command.format} {command.filter}".strip()[:500]
    )
    mimetype, lines = FORMATS[command.format]
    body = (line.encode("utf-8", "backslashreplace") for line in lines(model.model_fields, rows))
    response = Response(body, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{command.format}"'
    return response
