"""Each row of the API, with a token of each role: what the role may, and no form's token beside it."""

import pytest
from flask import Flask

from tests.dashboard.api.conftest import Program
from tests.dashboard.seeds import Seeds
from tickerq_dashboard.access.roles import ROLES
from tickerq_dashboard.api.reading_routes import ROOT
from tickerq_dashboard.api.routes import API_ROUTES
from tickerq_dashboard.routing import Route


@pytest.mark.parametrize("role", ROLES)
def test_a_token_may_what_its_role_may(seeds: Seeds, api_app: Flask, role: str) -> None:
    program = Program(api_app, role)
    for route in API_ROUTES:
        # A run and a cron ticker of its own for each, since what is allowed is done.
        path = address_of(route, seeds)
        response = program.send(route.method, path, data="?" if route.is_unsafe else None)
        is_allowed = route.permission in ROLES[role]
        assert (response.status_code == 403) == (not is_allowed), (route.name, response.text)
        if is_allowed and not route.is_unsafe:
            assert response.status_code == 200, (route.name, response.text)


def address_of(route: Route, seeds: Seeds) -> str:
    path = route.path.removeprefix(ROOT).replace("<path:name>", "SendDailyDigest")
    if "<uuid:cron_id>" in path or "SendDailyDigest" in path:
        path = path.replace("<uuid:cron_id>", str(seeds.cron()))
    if "<uuid:job_id>" in path:
        path = path.replace("<uuid:job_id>", str(seeds.tickerq.bulk.start("retry", ids=[seeds.run()]).id))
    return path.replace("<uuid:run_id>", str(seeds.run())) if "<uuid:run_id>" in path else path
