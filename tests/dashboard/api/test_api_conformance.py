"""What is served is what is described, whatever is asked: by requests that the description leads to."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, seed, settings

from tests.conftest import DATABASES
from tests.dashboard.api.conftest import API, bearer
from tests.dashboard.seeds import Seeds
from tests.thoroughness import in_proof
from tickerq_celery import TickerStatus
from tickerq_dashboard.api.routes import API_ROUTES

pytestmark = pytest.mark.verify
OPERATIONS = sorted(route.name.removeprefix("api_") for route in API_ROUTES)
EXAMPLES = 20


def each_on_one_database() -> Iterator[object]:
    """Yield each operation on one of the databases, by turns, and leave the others to the proofs.

    What a database does otherwise is below the managers, whose own tests take each.
    """
    for number, name in enumerate(OPERATIONS):
        for place, kind in enumerate(DATABASES):
            is_its_turn = number % len(DATABASES) == place
            yield pytest.param(kind, name) if is_its_turn else in_proof(kind, name)


@pytest.fixture
def ids(seeds: Seeds) -> dict[str, str]:
    """Parts of addresses that lead to something."""
    seeds.tickerq.function("SendDailyDigest")(lambda context: None)
    run_id = seeds.run(status=TickerStatus.FAILED, function="SendDailyDigest")
    job = seeds.tickerq.bulk.start("retry", ids=[run_id])
    return {
        "run_id": str(run_id),
        "cron_id": str(seeds.cron()),
        "job_id": str(job.id),
        "name": "SendDailyDigest",
    }


@pytest.mark.parametrize(("store_url", "name"), [*each_on_one_database()], indirect=["store_url"])
def test_an_operation_is_answered_as_it_is_described(name: str, api_app: Flask, ids: dict[str, str]) -> None:
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    asked = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
        checks.unsupported_method,
    ]
    schema = schemathesis.openapi.from_wsgi(f"{API}/openapi.json", api_app, headers=bearer("admin"))
    operation = schema.find_operation_by_id(name)

    @seed(1)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answered(case: Any) -> None:
        for part in case.path_parameters or ():
            case.path_parameters[part] = ids[part]
        response = case.call(headers={**bearer("admin"), "If-Match": "*"})
        case.validate_response(response, checks=asked)

    answered()
