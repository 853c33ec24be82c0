"""Answers for probes, which have no password: whether the process answers, is ready, and all is well.

They say a state, the codes of findings and how many seconds old these are, and no name, address or text.
"""

import json
from collections.abc import Collection

from flask import Response

from tickerq_celery.views import FindingCode, HealthReport, Severity
from tickerq_dashboard.health import KnownReport
from tickerq_dashboard.visits import Visit

# What keeps the pages from being served. A dead beat does not, and taking the dashboard away then would help
# least: that is for /healthz to say.
_NEEDED = {FindingCode.STORE, FindingCode.SCHEMA}


def livez(visit: Visit) -> Response:
    """Answer 200 for as long as the process answers at all."""
    return _answer(200, "ok", ())


def readyz(visit: Visit) -> Response:
    """Answer 503 where the store keeps the pages from being served, with the state of everything."""
    known = visit.dashboard.watch.ask()
    is_ready = (report := _current(known)) is not None and not any(
        each.code in _NEEDED and each.severity is Severity.FAILURE for each in report.findings
    )
    return _reported(200 if is_ready else 503, known)


def healthz(visit: Visit) -> Response:
    """Answer 503 where a finding is a failure: a beat or worker is dead, runs are overdue, and so on."""
    known = visit.dashboard.watch.ask()
    is_well = (report := _current(known)) is not None and report.is_well
    return _reported(200 if is_well else 503, known)


def _current(known: KnownReport) -> HealthReport | None:
    return None if known.is_late else known.report


def _reported(status: int, known: KnownReport) -> Response:
    report = _current(known)
    codes = [] if report is None else [each.code.value for each in report.problems]
    return _answer(status, "unknown" if report is None else report.severity.value, codes, age=known.seconds)


def _answer(status: int, state: str, codes: Collection[str], **age: float | None) -> Response:
    body = json.dumps({"status": state, "findings": sorted(set(codes)), **age})
    return Response(f"{body}\n", status=status, mimetype="application/json")
