"""Functions, nodes, health, pauses, the audit and settings."""

from flask import Response

from tickerq_celery.views import Finding, SubjectKind
from tickerq_dashboard.api.answering import answered, marks_of, may_see, opened
from tickerq_dashboard.api.fields import all_of
from tickerq_dashboard.api.function_answers import FunctionAnswer, FunctionList
from tickerq_dashboard.api.node_answers import LostNodeAnswer, NodeAnswer, NodesAnswer
from tickerq_dashboard.api.pause_answers import PauseAnswer, PauseList
from tickerq_dashboard.api.queries import AuditAsked, FunctionsAsked
from tickerq_dashboard.api.system_answers import (
    AuditItem,
    AuditList,
    FindingAnswer,
    HealthAnswer,
    SettingsAnswer,
    SubjectAnswer,
)
from tickerq_dashboard.health import said
from tickerq_dashboard.visits import Visit

UNKNOWN = "unknown"
# What these are called may be an address or a path.
ADDRESSED = {SubjectKind.STORE, SubjectKind.BROKER, SubjectKind.FILE}


def functions(visit: Visit, query: FunctionsAsked) -> Response:
    """Return the functions that workers registered, and those that something waits for."""
    page = visit.dashboard.reader.functions(query.prefix or None, opened(visit, query), query.limit)
    return answered(FunctionList(items=all_of(FunctionAnswer, page), **marks_of(visit, page)))


def function(visit: Visit, name: str) -> Response:
    """Return one function."""
    found = visit.dashboard.reader.function(name).function
    answer = FunctionAnswer.model_validate(found)
    return answered(answer.model_copy(update={"request_example": found.request_example}))


def nodes(visit: Visit) -> Response:
    """Return the beats and workers, and those that were lost."""
    reader = visit.dashboard.reader
    return answered(
        NodesAnswer(
            items=all_of(NodeAnswer, reader.nodes()), lost=all_of(LostNodeAnswer, reader.lost_nodes())
        )
    )


def pauses(visit: Visit) -> Response:
    """Return what is paused beyond single cron tickers."""
    return answered(PauseList(items=all_of(PauseAnswer, visit.dashboard.tickerq.pauses.find())))


def health(visit: Visit) -> Response:
    """Return all that the last health report found."""
    known, sees = visit.dashboard.watch.ask(), may_see(visit)
    report = known.report
    if report is None:
        return answered(HealthAnswer(severity=UNKNOWN, at=None, age=None, findings=()))
    findings = tuple(_finding(each, may_see=sees) for each in report.findings)
    severity = UNKNOWN if known.is_late else report.severity.value
    return answered(HealthAnswer(severity=severity, at=report.at, age=known.seconds, findings=findings))


def audit(visit: Visit, query: AuditAsked) -> Response:
    """Return who did what."""
    page = visit.dashboard.reader.audit(query.criteria, opened(visit, query), query.limit)
    return answered(AuditList(items=all_of(AuditItem, page), **marks_of(visit, page)))


def settings(visit: Visit) -> Response:
    """Return with what this process works."""
    return answered(SettingsAnswer.model_validate(visit.dashboard.reader.settings()))


def _finding(finding: Finding, *, may_see: bool) -> FindingAnswer:
    # In the words of the pages: the core's may hold addresses.
    subject = None if finding.subject is None or finding.subject.kind in ADDRESSED else finding.subject
    return FindingAnswer(
        code=finding.code.value,
        severity=finding.severity.value,
        text=said(finding),
        subject=None if subject is None else SubjectAnswer.model_validate(subject),
        since=finding.since,
        remedy=finding.remedy,
        error_head=finding.error_head if may_see else None,
    )
