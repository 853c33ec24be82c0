"""What is masked, or is not for a role, is in no answer and in no log: pages, API, exports."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from tests.dashboard.access.route_addresses import address_of
from tests.dashboard.access.rows import rows_of
from tests.dashboard.access.users import SECRET, by_role
from tests.dashboard.api.conftest import bearer, tokens
from tests.dashboard.conftest import BASE, PASSWORD, QUICK_HASH, USERS, basic
from tests.dashboard.seeds import Seeds
from tests.inner import new_id
from tickerq_celery import TickerStatus, TickerType
from tickerq_celery.enums import Origin
from tickerq_dashboard import create_app
from tickerq_dashboard.routes import ROUTES

MASKED, SAID = "canary-masked", "canary-said"
REQUEST = f'{{"password": "{MASKED}", "headers": [{{"Authorization": "Bearer {MASKED}"}}]}}'.encode()
# What a function leaves behind, beside the type of what it raised.
TEXTS = {
    "exception_type": "ledger.errors.Rejected",
    "exception_message": f"no card {SAID}",
    "traceback": f'Traceback\n  File "/srv/ledger.py", line 1, in pay\n    charge("{SAID}")\nRejected\n',
}
EXPORTS = tuple(
    ("/runs/export", {"listing": listing, "format": kind})
    for listing in ("history", "active", "upcoming")
    for kind in ("csv", "jsonl")
) + tuple(("/audit/export", {"format": kind}) for kind in ("csv", "jsonl"))


def failing(seeds: Seeds) -> tuple[UUID, UUID, UUID, UUID]:
    """Store runs that failed; return one that ended, one that waits, the first one's child and its cron.

    The failure of the first has paused the cron ticker, and the function is one that fails.
    """
    now = seeds.now = datetime.now(UTC)
    paused = {"is_enabled": False, "paused_by": "tickerq", "paused_reason": "it failed", "paused_at": now}
    cron_id = seeds.cron(request=REQUEST, function="Pay", **paused)
    error = {name: TEXTS[name] for name in ("exception_type", "exception_message")}
    common = {"function": "Pay", "request": REQUEST, "retry_count": 1, **error}
    of_cron = {
        "type": int(TickerType.CRON_TICKER_OCCURRENCE),
        "origin": Origin.CRON.value,
        "cron_ticker_id": cron_id,
        "instant": now,
    }
    failed = seeds.run(status=TickerStatus.FAILED, has_children=True, **common, **of_cron)
    waiting = seeds.run(due_at=now + timedelta(days=9), locked_at=now, **common)
    for _ in range(5):
        seeds.run(status=TickerStatus.FAILED, **common)
    child = seeds.run(status=TickerStatus.FAILED, parent_id=failed, root_id=failed, **common)
    for run_id in (failed, waiting, child, seeds.run(status=TickerStatus.IN_PROGRESS, **common)):
        seeds.attempt(run_id, **TEXTS)
        seeds.log(run_id, [[now.isoformat(), "error", f"cannot pay by {SAID}"]])
    return failed, waiting, child, cron_id


def answers(seeds: Seeds, role: str) -> Iterator[TestResponse]:
    """Yield what each address that is read, and each export, answers a program of a role."""
    # A viewer may see all but what payloads and errors say.
    app = create_app(
        seeds.tickerq,
        auth=by_role,
        secret=SECRET,
        api_tokens=tokens(),
        permissions={"viewer": ["audit.view"]},
    )
    client, headers = app.test_client(), bearer(role)
    failed, waiting, retried, cron_id = failing(seeds)
    samples = {
        "run_id": failed,
        "cron_id": cron_id,
        "job_id": seeds.tickerq.bulk.start("retry", status="failed").id,
        "filename": "icon.svg",
        "name": "Pay",
        "address": "nowhere",
    }
    answer = client.post(
        f"{BASE}/runs/{retried}/retry", data={"operation_id": str(new_id())}, headers=bearer("admin")
    )
    assert answer.status_code == 303
    for route in ROUTES:
        if route.method == "GET":
            addresses = {address_of(app, route, {**samples, "run_id": each}) for each in (failed, waiting)}
            for address in addresses:
                yield client.get(address, headers=headers, buffered=True)
    for path, form in EXPORTS:
        sent = {**form, "operation_id": str(new_id())}
        yield client.post(BASE + path, data=sent, headers=headers, buffered=True)


def having(text: str, given: list[TestResponse]) -> set[str]:
    """Return where a text is answered; nothing but the probe of health has failed."""
    assert [
        each for each in given if each.status_code >= 500 and not each.request.path.endswith("/healthz")
    ] == []
    return {each.request.path.removeprefix(BASE) for each in given if text in each.text}


def test_what_is_masked_is_in_no_page_answer_export_or_log(
    seeds: Seeds, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = list(answers(seeds, "admin"))
    assert having(MASKED, given) == set()
    assert len(having("•••", given) | having("\\u2022", given)) >= 4
    assert MASKED not in caplog.text
    # What is not masked is found, as the next test relies on.
    assert having("What it said last", given) == {"/errors"}
    found = having(SAID, given)
    assert len(found) > 20
    assert {
        "/errors",
        "/runs",
        "/runs/active",
        "/runs/upcoming",
        "/runs/export",
        "/api/v1/errors",
        "/health",
        "/api/v1/health",
    } <= found


def test_what_functions_say_is_for_those_who_may_see_payloads(
    seeds: Seeds, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    given = list(answers(seeds, "viewer"))
    assert having(SAID, given) == set()
    assert having(MASKED, given) == set()
    # A column of which nothing is shown is none.
    assert having("What it said last", given) == set()
    listed = {"/", "/errors", "/runs", "/runs/export", "/api/v1/errors"}
    assert having("Rejected", given) >= listed
    # Of a pause by failures there is the type.
    assert having("the last with ledger.errors.Rejected", given) >= {"/api/v1/health", "/api/v1/pulse"}
    assert SAID not in caplog.text


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_what_errors_say_is_not_found_out_by_filters(seeds: Seeds, role: str) -> None:
    permissions = {"operator": ["audit.view", "runs.retry"]}
    app = create_app(seeds.tickerq, auth=by_role, secret=SECRET, api_tokens=tokens(), permissions=permissions)
    client, headers = app.test_client(), bearer(role)
    failing(seeds)
    api, words = f"{BASE}/api/v1", f"error={SAID}"
    now, once = datetime.now(UTC).isoformat(), {"operation_id": str(new_id())}
    listed = {**once, "filter": words, "listing": "history"}
    ticked = {**listed, "action": "retry", "all": "1", "as_of": now}
    given = [
        client.get(f"{BASE}/runs?{words}", headers=headers),
        client.get(f"{BASE}/runs/active?{words}", headers=headers),
        client.get(f"{BASE}/runs?q=error:{SAID}", headers=headers, follow_redirects=True),
        client.get(f"{api}/runs?{words}", headers=headers),
        client.post(f"{BASE}/runs/export", data={**listed, "format": "csv"}, headers=headers),
        client.post(f"{BASE}/bulk/ask", data=ticked, headers=headers),
        client.post(f"{api}/bulk/retry", json={"filter": {"error": SAID}, "expected": 9}, headers=headers),
    ]
    wanted = [403] * 7 if role == "operator" else [200] * 6 + [202]
    assert [answer.status_code for answer in given] == wanted
    # Several words that name nothing lead to the failures whose message has them.
    assert ("Location" in client.get(f"{BASE}/find?q=no+card", headers=headers).headers) is (role == "admin")


def test_a_password_is_in_no_address_cookie_or_log(seeds: Seeds, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = create_app(seeds.tickerq, users=USERS).test_client()
    wrong = "hunter2-Wörd"
    hidden = {PASSWORD, wrong, *(quote(each) for each in (PASSWORD, wrong)), QUICK_HASH}
    hidden |= {basic("admin", each)["Authorization"].partition(" ")[2] for each in (PASSWORD, wrong)}
    for path in (
        "/",
        "/runs",
        "/runs/new",
        "/settings",
        "/audit",
        "/help",
        "/nope",
        "/logout",
        "/api/v1/settings",
    ):
        # And where it was typed into the field beside it.
        for login in (basic("admin", PASSWORD), basic("admin", wrong), basic(wrong, PASSWORD)):
            origin = {"REMOTE_ADDR": f"10.0.0.{len(caplog.records) % 250}"}
            answer = client.get(BASE + path, headers=login, environ_overrides=origin)
            assert "Set-Cookie" not in answer.headers
            assert [each for each in hidden if each in answer.text or each in str(answer.headers)] == []
    assert len(seeds.tickerq.audit.find(action="dashboard.log_in")) > 1
    assert "dashboard.log_in" in caplog.text
    kept = caplog.text + str(rows_of(seeds))
    assert [each for each in hidden if each in kept] == []
