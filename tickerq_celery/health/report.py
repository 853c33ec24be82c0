"""One report of the whole system: the store read, the broker asked, the findings judged."""

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

from tickerq_celery.enums import NodeKind
from tickerq_celery.errors import (
    QueryTooWideError,
    SchemaError,
    StoreError,
    StoreTimeoutError,
    StoreUnreachableError,
)
from tickerq_celery.health import facts as reading
from tickerq_celery.health.facts import Facts
from tickerq_celery.health.findings import failure, fine
from tickerq_celery.health.judging import broker_found, of_broker, of_facts, of_probe
from tickerq_celery.health.parts_read import Part, PartsRead
from tickerq_celery.health.queues import QueueUse
from tickerq_celery.health.routing import route_of
from tickerq_celery.runtime.core import Core
from tickerq_celery.tickers.health import Finding, FindingCode, HealthReport, Severity, Subject, SubjectKind
from tickerq_celery.tickers.surroundings import Surroundings
from tickerq_celery.wording import in_units


def whole(core: Core, surroundings: Surroundings) -> HealthReport:
    """Return all findings about store, broker, beats, workers, queues and what waits."""
    parts = PartsRead(monotonic)
    try:
        facts = core.read_bounded(reading.read, core, parts)
    except (SchemaError, StoreError) as error:
        unread = (_unread(core, error, parts), broker_found(surroundings.broker_state()))
        return HealthReport(at=None, findings=unread)
    uses = list(_uses(facts, surroundings))
    here = surroundings.broker_address()
    return HealthReport(
        at=facts.fleet.at,
        findings=(
            fine(FindingCode.STORE, f"store {core.database.shown}", subject=_store(core)),
            *of_broker(surroundings.broker_state(), facts.fleet.nodes),
            *of_facts(facts, core.config, uses, here=here),
        ),
    )


def probe(core: Core, surroundings: Surroundings, kind: NodeKind, host: str | None) -> HealthReport:
    """Return the findings about beats or workers alone, of one host if that is given.

    Only where a beat is late, the broker is asked: while that does not answer, no restart would help.
    """
    parts = PartsRead(monotonic)
    try:
        fleet = parts.read("beats and workers", core.read_bounded, reading.read_fleet)
    except (SchemaError, StoreError) as error:
        return HealthReport(at=None, findings=(_unread(core, error, parts),))
    findings = tuple(of_probe(fleet, kind, core.config, host=host))
    if any(map(_is_late, findings)):
        broker = broker_found(surroundings.broker_state())
        if broker.severity is Severity.FAILURE:
            findings = tuple(_waits(each) if _is_late(each) else each for each in findings)
            findings += (replace(broker, severity=Severity.WARNING),)
    return HealthReport(at=fleet.at, findings=findings)


def _is_late(finding: Finding) -> bool:
    return finding.code is FindingCode.BEAT_LATE


def _waits(late: Finding) -> Finding:
    return replace(late, severity=Severity.WARNING, remedy="it goes on when the broker answers")


def _unread(core: Core, error: SchemaError | StoreError, parts: PartsRead) -> Finding:
    if isinstance(error, SchemaError):
        return failure(FindingCode.SCHEMA, str(error), subject=_store(core))
    if isinstance(error, QueryTooWideError):
        return _slow(core, parts.slowest())
    return failure(
        FindingCode.STORE,
        f"store {core.database.shown}: {error}",
        subject=_store(core),
        remedy="nothing runs until the database answers; what is stored is safe",
        measured=f"the store {_measured(error)}",
    )


def _measured(error: StoreError) -> str:
    if isinstance(error, StoreTimeoutError):
        return f"gave no answer within {error.seconds:g} s"
    if isinstance(error, StoreUnreachableError):
        return "cannot be reached: it takes no connection"
    return "answered with an error: `tickerq health` says which"


def _slow(core: Core, slowest: Part | None) -> Finding:
    """Return what was slow of a store that answers, but not in time."""
    what = "other reads took its time"
    if slowest is not None:
        what = f"to read {slowest.what} took {in_units(slowest.took)}"
    slowly = f"answers too slowly: {what}, and a report has {in_units(core.config.read_budget)}"
    return failure(
        FindingCode.STORE,
        f"store {core.database.shown} {slowly}",
        subject=_store(core),
        remedy="look in the database for locks, long transactions and load",
        measured=f"the store {slowly}",
    )


def _store(core: Core) -> Subject:
    return Subject(SubjectKind.STORE, core.database.shown)


def _uses(facts: Facts, surroundings: Surroundings) -> Iterator[QueueUse]:
    """Yield where runs wait, and where those of each function go that anything live has."""
    for each in facts.waiting:
        route = route_of(surroundings, each.function, each.queue)
        yield QueueUse(
            function=each.function,
            queue=route.queue,
            runs=each.runs,
            unstarted=each.unstarted,
            since=each.since,
            error=route.error,
            due=each.runs if each.are_due else 0,
            routed=each.queue is None,
        )
    for function, named in facts.queues.items():
        route = route_of(surroundings, function, named)
        yield QueueUse(
            function=function, queue=route.queue, runs=0, unstarted=0, since=None, error=route.error
        )
