"""Runs that failed, and beats that do bulk jobs, as far as a test lets them."""

from typing import Any
from uuid import UUID

from tests.inner import Core
from tests.integration.making import (
    ListPublisher,
    another_node,
    bulk,
    enrolled,
    fail,
    make_runs,
    started,
)
from tickerq_celery.beat.bulk_runner import BulkRunner
from tickerq_celery.views import BulkJob


def runner(core: Core, publisher: ListPublisher | None = None) -> BulkRunner:
    """Return another process' beat, as far as it does bulk jobs."""
    return BulkRunner(another_node(core), publisher or ListPublisher())


def done(core: Core, job: BulkJob, publisher: ListPublisher | None = None) -> BulkJob:
    """Let a beat do all that it can do now, and return a job as it then is."""
    beat = runner(core, publisher)
    while not beat.step():
        pass
    return bulk(core).get(job.id)


def make_failed(core: Core, count: int, **fields: Any) -> list[UUID]:
    """Store runs of which one attempt was made, and failed."""
    made = make_runs(enrolled(core), count, **fields)
    for each in made:
        fail(core, started(core, each))
    return made
