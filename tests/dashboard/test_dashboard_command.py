"""``tickerq dashboard``: served to this machine, or to users only."""

import errno
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from werkzeug.security import check_password_hash

from tests.dashboard.conftest import BASE, LOGIN, PASSWORD, QUICK_HASH, basic
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.inner import tickerq_command
from tickerq_dashboard import command, serving


@dataclass
class Server:
    """Takes what a server is given, and ends at once."""

    host: str
    port: int
    app: Flask
    is_frozen: bool = False
    ran_frozen: bool = False

    def run(self) -> None:
        """End as after Ctrl-C."""
        self.ran_frozen = self.is_frozen


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    servers: list[Server] = []

    def listeners_on(host: str, port: int) -> list[Any]:
        return [SimpleNamespace(host=host, getsockname=lambda: (host, port))]

    def server_of(listeners: list[Any], app: Flask) -> Server:
        host, port = listeners[0].getsockname()
        servers.append(Server(host, port, app))
        return servers[-1]

    monkeypatch.setattr(command, "listeners_on", listeners_on)

    def freeze_heap() -> None:
        # Not that of the tests.
        servers[-1].is_frozen = True

    monkeypatch.setattr(command, "server_of", server_of)
    monkeypatch.setattr(command, "freeze_heap", freeze_heap)
    monkeypatch.delenv(command.USERS_VARIABLE, raising=False)
    return servers


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the output be a terminal."""
    monkeypatch.setattr(command, "_is_terminal", lambda: True)


def invoke(seeds: Seeds | None, *arguments: str, **options) -> Result:
    obj = seeds.tickerq if seeds is not None else None
    return CliRunner().invoke(command.dashboard, arguments, obj=obj, **options)


def status(server: Server, headers: dict[str, str]) -> int:
    return server.app.test_client().get(BASE, headers=headers).status_code


def test_what_is_loaded_is_out_of_collections_before_the_first_page(
    made: list[Server], seeds: Seeds, terminal: None
) -> None:
    assert invoke(seeds).exit_code == 0
    (server,) = made
    assert server.ran_frozen


def test_a_frozen_heap_is_walked_by_no_collection() -> None:
    script = "import gc, tickerq_dashboard.serving as it; it.freeze_heap(); print(len(gc.get_objects()))"
    left = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(left.stdout) < 1_000


def test_without_users_it_makes_a_password_for_this_machine_only(
    made: list[Server], seeds: Seeds, terminal: None
) -> None:
    result = invoke(seeds)
    assert result.exit_code == 0, result.output
    (server,) = made
    assert (server.host, server.port) == ("localhost", 5556)
    assert f"http://localhost:5556{BASE}/" in result.output
    password = re.search(r"with the password (\S+)", result.output)
    assert password is not None
    assert status(server, basic("admin", password[1])) == 200
    assert status(server, {}) == 401


def test_a_password_for_one_run_is_shown_on_a_terminal_only(made: list[Server], seeds: Seeds) -> None:
    result = invoke(seeds)
    assert result.exit_code == 1
    assert "no terminal" in result.output
    assert command.USERS_VARIABLE in result.output
    assert made == []


def test_users_in_a_file_have_roles_and_a_file_that_all_can_read_is_remarked_on(
    made: list[Server], seeds: Seeds, tmp_path
) -> None:
    file = tmp_path / "users"
    file.write_text(f"ann:operator:{QUICK_HASH}\nbob:{QUICK_HASH}\n")
    file.chmod(0o600)
    assert "can read" not in invoke(seeds, "--users", str(file)).output
    file.chmod(0o644)
    assert "can read" in invoke(seeds, "--users", str(file)).output
    assert "name:role:hash" in invoke(seeds, "--help").output
    client = made[0].app.test_client()
    for name, role in (("ann", "operator"), ("bob", "viewer")):
        assert role in client.get(f"{BASE}/health", headers=basic(name, PASSWORD)).text


def test_what_the_application_includes_is_imported_before_the_first_page(
    made: list[Server], seeds: Seeds, terminal: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "included_by_a_dashboard.py").write_text("here = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(seeds.tickerq.app.conf, "include", ["included_by_a_dashboard"])
    result = invoke(seeds)
    assert (result.exit_code, "cannot be imported" in result.output) == (0, False)
    assert sys.modules.pop("included_by_a_dashboard").here
    assert len(made) == 1


def test_a_module_that_cannot_be_imported_is_named_and_the_store_is_served(
    made: list[Server], seeds: Seeds, terminal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(seeds.tickerq.app.conf, "include", ["no_module_of_this_name"])
    result = invoke(seeds)
    assert result.exit_code == 0
    assert "A module that the application includes cannot be imported: ModuleNotFoundError" in result.output
    assert "no_module_of_this_name" in result.output
    (server,) = made
    assert status(server, {}) == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "example.com"])
def test_without_users_it_listens_nowhere_else(made: list[Server], seeds: Seeds, host: str) -> None:
    result = invoke(seeds, "--host", host)
    assert result.exit_code == 1
    assert "users" in result.output
    assert made == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_every_name_of_this_machine_will_do(
    made: list[Server], seeds: Seeds, terminal: None, host: str
) -> None:
    assert invoke(seeds, "--host", host).exit_code == 0
    assert made[0].host == host


def test_users_come_from_the_environment(made: list[Server], seeds: Seeds) -> None:
    users = f"ann:{QUICK_HASH},admin:{QUICK_HASH}"
    result = invoke(seeds, "--host", "0.0.0.0", env={command.USERS_VARIABLE: users})
    assert result.exit_code == 0, result.output
    assert "TLS" in result.output
    assert "with the password" not in result.output
    assert status(made[0], LOGIN) == 200


def test_users_come_from_a_file_before_the_environment(made: list[Server], seeds: Seeds, tmp_path) -> None:
    file = tmp_path / "users"
    file.write_text(f"# who may look\n\nadmin:{QUICK_HASH}\n")
    result = invoke(seeds, "--users", str(file), env={command.USERS_VARIABLE: "eve:plain"})
    assert result.exit_code == 0, result.output
    assert status(made[0], LOGIN) == 200


@pytest.mark.parametrize("users", ["ann:secure-password", "ann", f"ann:{QUICK_HASH},ann:{QUICK_HASH}"])
def test_users_that_cannot_be_used_are_refused(made: list[Server], seeds: Seeds, users: str) -> None:
    result = invoke(seeds, env={command.USERS_VARIABLE: users})
    assert result.exit_code == 1
    assert "users" in result.output
    assert "secure-password" not in result.output
    assert made == []


def test_an_empty_file_of_users_refuses_every_login(made: list[Server], seeds: Seeds, tmp_path) -> None:
    file = tmp_path / "users"
    file.write_text("# no users yet\n")
    assert invoke(seeds, "--users", str(file)).exit_code == 1
    assert made == []


def test_the_application_may_be_found_late(made: list[Server], seeds: Seeds, terminal: None) -> None:
    result = CliRunner().invoke(command.dashboard, obj=lambda: seeds.tickerq)
    assert result.exit_code == 0, result.output


def test_without_an_application_it_says_how_to_name_one(made: list[Server]) -> None:
    result = invoke(None)
    assert result.exit_code == 2
    assert "celery -A yourapp" in result.output


def test_a_password_is_hashed_without_being_shown() -> None:
    result = CliRunner().invoke(tickerq_command, ["hash-password"], input="pass:wörd\npass:wörd\n")
    assert result.exit_code == 0, result.output
    assert "pass:wörd" not in result.output
    assert check_password_hash(result.output.splitlines()[-1], "pass:wörd")


def test_no_password_can_be_given_where_others_could_read_it() -> None:
    assert command.hash_password.params == []


def test_localhost_is_answered_on_both_loopback_addresses_and_its_root_leads_to_the_dashboard(
    app: Flask,
) -> None:
    with running(app, "localhost") as addresses:
        assert [host for host, _ in addresses] == ["127.0.0.1", "::1"]
        assert addresses[0][1] == addresses[1][1]
        for host, port in addresses:
            connection = HTTPConnection(host, port, timeout=10)
            for _ in range(2):
                # The connection is kept: a page and its files need one.
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                assert (answer.status, answer.headers["Location"]) == (302, f"{BASE}/")
                assert answer.headers["Server"] == "tickerq"
                assert connection.sock is not None
            connection.close()


def test_the_server_bounds_headers_and_bodies_and_believes_no_client_about_a_proxy(app: Flask) -> None:
    with running(app) as [(host, port)]:

        def status(path: str, headers: dict[str, str], method: str = "GET") -> int:
            connection = HTTPConnection(host, port, timeout=10)
            try:
                connection.request(method, path, headers=headers)
                return connection.getresponse().status
            finally:
                connection.close()

        assert status(f"{BASE}/livez", {"X-Forwarded-Prefix": "//evil.example"}) == 200
        assert status(f"{BASE}/livez", {"X-Padding": "x" * 70_000}) == 431
        # Refused by its length: the server closes before such a body is sent, which may break the pipe.
        assert status(f"{BASE}/logout", {**LOGIN, "Content-Length": "600000"}, "POST") == 413
        assert status(f"{BASE}/static/icon.svg", LOGIN) == 200


def test_another_host_is_one_address(app: Flask) -> None:
    with running(app, "127.0.0.1") as addresses:
        assert [host for host, _ in addresses] == ["127.0.0.1"]


def test_a_machine_without_ipv6_is_served_on_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    create = socket.create_server

    def without_ipv6(address: tuple[str, int], **options: Any) -> socket.socket:
        if options["family"] == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return create(address, **options)

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    [listener] = serving.listeners_on("localhost", 0)
    with listener:
        assert listener.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_another_program_has_is_refused_in_words(
    seeds: Seeds, terminal: None, address: str
) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as other:
        port = other.getsockname()[1]
        result = invoke(seeds, "--port", str(port))
    assert result.exit_code == 1
    assert f"cannot listen on port {port} of localhost: Address already in use" in result.output
    assert "--port" in result.output
