"""How people call what an entry of the audit is about, when the next page tells its actor."""

from collections.abc import Callable, Mapping
from uuid import UUID

from tickerq_celery.views import AuditEntry
from tickerq_dashboard.reading.reader import Reader, or_none
from tickerq_dashboard.show.audited import deleted_words
from tickerq_dashboard.show.bulk import job_title
from tickerq_dashboard.show.chain_actions import CHAIN_ACTIONS
from tickerq_dashboard.show.flashes import object_of
from tickerq_dashboard.show.words import called

# Each is read as its own page reads it, to which most acts lead: so it is read once for both.
_CALLED: Mapping[str, Callable[[Reader, UUID], str]] = {
    "chain": lambda reader, run_id: called(reader.chain(run_id).head.run),
    "run": lambda reader, run_id: called(reader.run(run_id).run),
    "cron_ticker": lambda reader, cron_id: called(reader.cron(cron_id, None).cron),
    "bulk_job": lambda reader, job_id: f"“{job_title(reader.bulk_job(job_id).job)}”",
}


# What is done to a chain is done by way of any of its runs.
_OF_CHAINS = {each.verb for each in CHAIN_ACTIONS}


def called_in(reader: Reader, entry: AuditEntry) -> str:
    """Return how people call what an entry is about; empty where nothing says that any more.

    What is paused is called by its name, what is gone as the entry has kept it.
    """
    deleted, about = deleted_words(entry), object_of(entry)
    read = _CALLED.get("chain" if entry.action in _OF_CHAINS else entry.object_kind)
    if deleted or about is None or read is None:
        return deleted or about or ""
    return or_none(lambda: read(reader, UUID(about))) or ""
