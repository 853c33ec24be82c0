"""What the audit says of jobs on many runs."""

from typing import Any

import pytest

from tests.integration.bulk_jobs import done, make_failed
from tests.manual_clock import ManualClock
from tickerq_celery import TickerQ
from tickerq_celery.enums import BulkState
from tickerq_celery.errors import TickerStateError
from tickerq_celery.views import Actor, AuditEntry

ANN = Actor("ann", role="admin", address="10.0.0.7", via="dashboard", request_id="r-1")


def entries(tickerq: TickerQ) -> list[AuditEntry]:
    """Return what the audit has of bulk jobs, the oldest first."""
    return [each for each in reversed(tickerq.audit.find()) if each.action.startswith("bulk.")]


def test_a_job_is_audited_when_it_starts_and_when_it_ends_in_the_name_of_who_started_it(
    tickerq: TickerQ,
) -> None:
    failed = make_failed(tickerq.core, 2)
    job = tickerq.acting_as(ANN).bulk.start("retry", ids=failed, reason="it is mended", by="bob")
    assert (job.actor, job.said_by) == ("ann", "bob")
    done(tickerq.core, job)
    start, end = entries(tickerq)
    assert (start.action, start.ids, start.count) == ("bulk.start", (job.id,), 1)
    assert start.after == {"action": "retry", "what": "2 by id", "as_of": job.as_of.isoformat()}
    assert (end.action, end.object_id, end.count) == ("bulk.end", str(job.id), 2)
    assert end.after == {
        "action": "retry", "what": "2 by id", "state": "done", "changed": 2, "skipped": 0,
    }  # fmt: skip
    for each in (start, end):
        assert (each.actor, each.role, each.address, each.via, each.request_id) == (
            "ann", "admin", "10.0.0.7", "dashboard", "r-1",
        )  # fmt: skip
        assert (each.said_by, each.reason) == ("bob", "it is mended")


def test_a_job_of_filters_is_audited_with_them(tickerq: TickerQ) -> None:
    job = tickerq.bulk.start("retry", tag="eu", exclude={"function": "Send"})
    done(tickerq.core, job)
    for each in entries(tickerq):
        assert isinstance(each.after, dict)
        assert each.after["filters"] == job.filters == {"tag": "eu", "exclude": {"function": ["Send"]}}


def test_a_stop_is_audited_and_a_refused_one_counted(tickerq: TickerQ, clock: ManualClock) -> None:
    ann = tickerq.acting_as(ANN)
    job = ann.bulk.start("cancel", everything=True)
    assert ann.bulk.stop(job.id, reason="the wrong ones").state is BulkState.STOPPED
    # Of entries of one moment the order is that of their ids, and a refusal's is no later one.
    clock.advance(seconds=1)
    with pytest.raises(TickerStateError):
        ann.bulk.stop(job.id)
    _, stop, refusal = entries(tickerq)
    assert (stop.object_id, stop.reason, stop.before) == (str(job.id), "the wrong ones", {"state": "waiting"})
    assert (refusal.outcome.value, refusal.count) == ("refused", 1)


def test_a_job_that_fails_is_audited(tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch) -> None:
    job = tickerq.bulk.start("cancel", everything=True)

    def broken(*args: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("tickerq_celery.runs.bulk_batch._apply", broken)
    assert done(tickerq.core, job).error == "RuntimeError: a defect"
    end = entries(tickerq)[-1]
    assert (end.action, end.actor, end.after["state"]) == ("bulk.end", "code", "failed")
