"""How often a password may be tried: five times, then with waits that grow."""

import re

import pytest
from flask.testing import FlaskClient

from tests.dashboard.conftest import BASE, LOGIN, PASSWORD, basic
from tests.dashboard.page_text import THIN
from tests.dashboard.seeds import Seeds
from tickerq_dashboard.access.refusals import TooManyFailuresError
from tickerq_dashboard.access.throttle import Throttle, network_of, wait_after


def status(client: FlaskClient, password: str, address: str = "10.0.0.1", name: str = "admin") -> int:
    response = client.get(
        f"{BASE}/health", headers=basic(name, password), environ_overrides={"REMOTE_ADDR": address}
    )
    return response.status_code


def test_the_sixth_wrong_password_is_answered_429_with_the_time_to_wait(client: FlaskClient) -> None:
    assert [status(client, f"wrong {number}") for number in range(5)] == [401] * 5
    refused = client.get(BASE, headers=basic("admin", "wrong"), environ_overrides={"REMOTE_ADDR": "10.0.0.1"})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert "WWW-Authenticate" not in refused.headers
    assert re.search(r"Wait \d+ s, then load the page again", refused.text.replace(THIN, " "))
    assert 'aria-label="Pages"' not in refused.text


def test_a_right_password_is_refused_while_throttled_and_elsewhere_is_not(client: FlaskClient) -> None:
    for number in range(6):
        status(client, f"wrong {number}", name=f"user {number}")
    assert status(client, PASSWORD) == 429
    assert status(client, PASSWORD, address="10.0.0.2") == 200


def test_who_is_verified_already_is_not_locked_out_by_others_of_the_same_address(client: FlaskClient) -> None:
    assert status(client, PASSWORD) == 200
    for number in range(6):
        status(client, f"wrong {number}")
    assert status(client, "wrong") == 429
    assert status(client, PASSWORD) == 200


def test_a_right_password_takes_back_its_own_trial_and_no_other() -> None:
    now = [1000.0]
    throttle = Throttle(monotonic=lambda: now[0])
    for _ in range(5):
        throttle.begin("10.0.0.1")
    now[0] += 30
    throttle.begin("10.0.0.1")
    throttle.succeed("10.0.0.1")
    now[0] += 30
    # The sixth failure, and not the first.
    assert throttle.begin("10.0.0.1") == 60


def test_a_request_without_a_password_is_no_failure(client: FlaskClient) -> None:
    for _ in range(10):
        assert client.get(BASE).status_code == 401
    assert client.get(f"{BASE}/health", headers=LOGIN).status_code == 200


def test_wrong_methods_and_unknown_addresses_are_no_way_around(client: FlaskClient) -> None:
    paths = [("POST", "/runs"), ("GET", "/nope"), ("GET", "//x"), ("PUT", "/static/icon.svg"), ("GET", "/")]
    for method, path in paths:
        assert client.open(BASE + path, method=method, headers=basic("admin", path)).status_code == 401
    for method, path in paths:
        assert client.open(BASE + path, method=method, headers=basic("admin", "x")).status_code == 429


def test_waits_double_up_to_five_minutes_and_a_quiet_quarter_of_an_hour_ends_them() -> None:
    now = [1000.0]
    throttle = Throttle(monotonic=lambda: now[0])
    assert [throttle.begin("10.0.0.1") for _ in range(5)] == [0, 0, 0, 0, 30]
    for wait in (30, 60, 120, 240, 300, 300):
        now[0] += wait - 0.5
        with pytest.raises(TooManyFailuresError) as refused:
            throttle.begin("10.0.0.1")
        assert refused.value.retry_after == 1
        now[0] += 0.5
        throttle.begin("10.0.0.1")
    now[0] += 901
    assert [throttle.begin("10.0.0.1") for _ in range(4)] == [0, 0, 0, 0]
    assert wait_after(10**9) == 300


def test_what_succeeded_is_no_failure() -> None:
    throttle = Throttle(monotonic=lambda: 0.0)
    for _ in range(20):
        throttle.begin("10.0.0.1")
        throttle.succeed("10.0.0.1")
    throttle.succeed("10.0.0.2")


def test_trials_at_once_are_not_more_than_one_after_another() -> None:
    throttle = Throttle(monotonic=lambda: 0.0)
    for _ in range(5):
        throttle.begin("10.0.0.1")
    with pytest.raises(TooManyFailuresError):
        throttle.begin("10.0.0.1")


def test_the_table_holds_the_latest_addresses_only() -> None:
    throttle = Throttle(limit=100, monotonic=lambda: 0.0)
    for number in range(10_000):
        throttle.begin(f"10.0.{number // 250}.{number % 250}")
    assert len(throttle) == 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", "unix:"),
        (None, ""),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_refused_log_ins_are_in_the_audit_and_in_the_log(
    client: FlaskClient, seeds: Seeds, caplog: pytest.LogCaptureFixture
) -> None:
    for password in ("wrong", "secure-wörd"):
        status(client, password)
    status(client, "wrong", address="10.0.0.2", name="my-passwörd")
    second, first = seeds.tickerq.audit.find(action="dashboard.log_in")
    assert (first.actor, first.address, first.outcome.value) == ("not logged in", "10.0.0.1", "refused")
    assert (first.object_id, first.error, first.count) == ("admin", "wrong password", 2)
    assert (second.address, second.object_id, second.error) == ("10.0.0.2", None, "wrong name or password")
    assert first.via == "dashboard"
    assert first.request_id
    text = caplog.text + repr((first, second))
    assert "10.0.0.2" in caplog.text
    assert "wörd" not in text


def test_the_audit_says_when_further_log_ins_are_refused(client: FlaskClient, seeds: Seeds) -> None:
    for number in range(20):
        status(client, f"wrong {number}")
    [entry] = seeds.tickerq.audit.find(action="dashboard.log_in")
    assert entry.count == 5
