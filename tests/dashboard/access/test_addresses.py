"""The address of a client, as the log and the audit have it: on one line, whatever a server was told."""

import pytest
from flask import Flask

from tests.dashboard.access.users import SECRET, as_role, by_role
from tests.dashboard.conftest import BASE
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import create_app


@pytest.fixture
def app(seeds: Seeds) -> Flask:
    return create_app(seeds.tickerq, auth=by_role, secret=SECRET)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1\nERROR all is lost", r"192.0.2.1\nERROR all is lost"),
        ("192.0.2.1\r\n\x1b[31m\u2028x", r"192.0.2.1\r\n\x1b[31m\u2028x"),
        ("x" * 200, "x" * 100),
        ("", None),
    ],
)
def test_a_line_break_in_an_address_reaches_neither_log_nor_audit(
    app: Flask, seeds: Seeds, caplog: pytest.LogCaptureFixture, given: str, shown: str | None
) -> None:
    app.test_client().post(
        f"{BASE}/pauses/pause", headers=as_role("viewer"), environ_base={"REMOTE_ADDR": given}
    )
    [entry] = seeds.tickerq.audit.find(outcome="refused")
    assert entry.address == shown
    [line] = [each.getMessage() for each in caplog.records if "the dashboard refused" in each.getMessage()]
    assert len(line.splitlines()) == 1
    assert f"to {shown}: " in line
