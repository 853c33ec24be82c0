"""A report in one sentence, its severity, and its problems."""

from tests.unit.health.nodes_made import AT
from tickerq_celery.health.findings import capped, warning
from tickerq_celery.health.judging import broker_found
from tickerq_celery.tickers.surroundings import BrokerState
from tickerq_celery.views import Finding, FindingCode, HealthReport, Severity, Subject, SubjectKind

BEATS = Finding(code=FindingCode.BEATS, severity=Severity.OK, text="beat b is alive, seen 2 s ago")
WORKERS = Finding(code=FindingCode.WORKERS, severity=Severity.OK, text="3 workers are alive")
BROKER = Finding(code=FindingCode.BROKER, severity=Severity.OK, text="broker memory://")
PAUSED = Finding(code=FindingCode.PAUSED, severity=Severity.WARNING, text="function Send is paused")
DEAD = Finding(code=FindingCode.WORKER_DEAD, severity=Severity.FAILURE, text="worker w is dead")


def report(*findings: Finding) -> HealthReport:
    return HealthReport(at=AT, findings=findings)


def test_all_well_names_what_runs_and_not_what_merely_answers() -> None:
    well = report(BROKER, BEATS, WORKERS)
    assert (well.severity, well.is_well, well.problems) == (Severity.OK, True, ())
    assert well.headline == "All well: beat b is alive, seen 2 s ago; 3 workers are alive"


def test_a_warning_is_the_headline_and_a_failure_comes_before_it() -> None:
    warned = report(BROKER, PAUSED, WORKERS)
    assert (warned.severity, warned.is_well, warned.headline) == (
        Severity.WARNING,
        True,
        "function Send is paused",
    )
    failed = report(PAUSED, BROKER, DEAD)
    assert (failed.severity, failed.is_well, failed.headline) == (
        Severity.FAILURE,
        False,
        "worker w is dead",
    )
    assert failed.problems == (DEAD, PAUSED)


def test_a_sum_of_findings_names_the_kind_of_each_where_they_differ() -> None:
    function, tag, queue = SubjectKind.FUNCTION, SubjectKind.TAG, SubjectKind.QUEUE
    first = [Subject(queue, "q")] * 9

    def summed(*subjects: Subject) -> str:
        found = [warning(FindingCode.PAUSED, "", subject=each) for each in [*first, *subjects]]
        return capped(found, "pauses")[-1].text

    assert summed(Subject(function, "A"), Subject(function, "B")) == "and 2 more pauses: A and B"
    assert summed(Subject(function, "A"), Subject(tag, "b")) == "and 2 more pauses: function A and tag b"
    cron = Subject(SubjectKind.CRON_TICKER, "Digest (0 9 * * *)")
    assert summed(cron, Subject(tag, "b")).endswith("cron ticker Digest (0 9 * * *) and tag b")


def test_a_broker_that_does_not_answer_is_to_be_brought_back() -> None:
    found = broker_found(BrokerState(address="redis://x", error="does not answer: refused"))
    assert (found.severity, found.text) == (Severity.FAILURE, "broker redis://x does not answer: refused")
    assert found.remedy == (
        "bring it back, or correct `broker_url`; nothing is lost: runs that are due wait in the store"
    )
