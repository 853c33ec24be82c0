"""Answers for probes, which have no password: whether the process answers, is ready, and all is well.

They say a state and the codes of findings, and no name, address or text.
"""

import json
from collections.abc import Collection

from flask import Response

from tickerq_celery.views import FindingCode, HealthReport, Severity
from tickerq_dashboard.visits import Visit

# What keeps the pages from being served. A dead beat does not, and taking the dashboard away then would help
# least: that is for /healthz to say.
_NEEDED = {FindingCode.STORE, FindingCode.SCHEMA}


def livez(visit: Visit) -> Response:
    """Answer 200 for as long as the process answers at all."""
    return _answer(200, "ok", ())


def readyz(visit: Visit) -> Response:
    """Answer 503 where the store keeps the pages from being served, with the state of everything."""
    report = visit.dashboard.watch.look().report
    is_ready = report is not None and not any(
        each.code in _NEEDED and each.severity is Severity.FAILURE for each in report.findings
    )
    return _reported(200 if is_ready else 503, report)


def healthz(visit: Visit) -> Response:
    """Answer 503 where a finding is a failure: a beat or worker is dead, runs are overdue, and so on."""
    report = visit.dashboard.watch.look().report
    return _reported(200 if report is not None and report.is_well else 503, report)


def _reported(status: int, report: HealthReport | None) -> Response:
    if report is None:
        return _answer(status, "unknown", ())
    return _answer(status, report.severity.value, [each.code.value for each in report.problems])


def _answer(status: int, state: str, codes: Collection[str]) -> Response:
    body = json.dumps({"status": state, "findings": sorted(set(codes))})
    return Response(f"{body}\n", status=status, mimetype="application/json")
