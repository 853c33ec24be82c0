"""``tickerq dashboard``: served to this machine, or to users only."""

import errno
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from werkzeug.security import check_password_hash
from werkzeug.serving import BaseWSGIServer

from tests.dashboard.conftest import BASE, LOGIN, QUICK_HASH, basic
from tests.dashboard.seeds import Seeds
from tickerq_dashboard import command, create_app, serving


class Server:
    """Takes what a server is given, and ends at once."""

    made: "list[Server]"

    def __init__(self, host: str, port: int, app: Flask) -> None:
        self.host, self.port, self.app = host, port, app
        self.made.append(self)

    def serve_forever(self) -> None:
        """End as after Ctrl-C."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    monkeypatch.setattr(Server, "made", [], raising=False)
    monkeypatch.setattr(command, "servers_on", lambda *arguments: [Server(*arguments)])
    monkeypatch.delenv(command.USERS_VARIABLE, raising=False)
    return Server.made


def invoke(seeds: Seeds | None, *arguments: str, **options) -> Result:
    obj = seeds.tickerq if seeds is not None else None
    return CliRunner().invoke(command.dashboard, arguments, obj=obj, **options)


def status(server: Server, headers: dict[str, str]) -> int:
    return server.app.test_client().get(BASE, headers=headers).status_code


def test_without_users_it_makes_a_password_for_this_machine_only(made: list[Server], seeds: Seeds) -> None:
    result = invoke(seeds)
    assert result.exit_code == 0, result.output
    (server,) = made
    assert (server.host, server.port) == ("localhost", 5556)
    assert f"http://localhost:5556{BASE}/" in result.output
    password = re.search(r"with the password (\S+)", result.output)
    assert password is not None
    assert status(server, basic("admin", password[1])) == 200
    assert status(server, {}) == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "example.com"])
def test_without_users_it_listens_nowhere_else(made: list[Server], seeds: Seeds, host: str) -> None:
    result = invoke(seeds, "--host", host)
    assert result.exit_code == 1
    assert "users" in result.output
    assert made == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_every_name_of_this_machine_will_do(made: list[Server], seeds: Seeds, host: str) -> None:
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


def test_the_application_may_be_found_late(made: list[Server], seeds: Seeds) -> None:
    result = CliRunner().invoke(command.dashboard, obj=lambda: seeds.tickerq)
    assert result.exit_code == 0, result.output


def test_without_an_application_it_says_how_to_name_one(made: list[Server]) -> None:
    result = invoke(None)
    assert result.exit_code == 2
    assert "celery -A yourapp" in result.output


def test_a_password_is_hashed_without_being_shown() -> None:
    result = invoke(None, "hash-password", input="pass:wörd\npass:wörd\n")
    assert result.exit_code == 0, result.output
    assert "pass:wörd" not in result.output
    assert check_password_hash(result.output.splitlines()[-1], "pass:wörd")


def test_no_password_can_be_given_where_others_could_read_it() -> None:
    hash_password = command.dashboard.get_command(click.Context(command.dashboard), "hash-password")
    assert hash_password is not None
    assert hash_password.params == []


@pytest.fixture
def serve(seeds: Seeds) -> Iterator[Callable[[str], list[BaseWSGIServer]]]:
    """Serve the dashboard on a free port of a host, until the test has ended."""
    app = create_app(seeds.tickerq, users={"admin": QUICK_HASH})
    with ExitStack() as stack:

        def started(host: str) -> list[BaseWSGIServer]:
            servers = serving.servers_on(host, 0, app)
            thread = threading.Thread(target=serving.serve, args=(servers,))
            thread.start()
            stack.callback(thread.join)
            for server in servers:
                stack.callback(server.server_close)
                stack.callback(server.shutdown)
            return servers

        yield started


def test_localhost_is_answered_on_both_loopback_addresses_and_its_root_leads_to_the_dashboard(
    serve: Callable[[str], list[BaseWSGIServer]],
) -> None:
    servers = serve("localhost")
    assert [server.host for server in servers] == ["127.0.0.1", "::1"]
    assert servers[0].port == servers[1].port
    for server in servers:
        connection = HTTPConnection(server.host, server.port, timeout=10)
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (302, f"{BASE}/")
        assert answer.headers["Server"] == "tickerq"
        connection.close()


def test_another_host_is_one_address(serve: Callable[[str], list[BaseWSGIServer]]) -> None:
    [server] = serve("127.0.0.1")
    assert server.host == "127.0.0.1"


def test_a_machine_without_ipv6_is_served_on_ipv4(monkeypatch: pytest.MonkeyPatch, seeds: Seeds) -> None:
    create = socket.create_server

    def without_ipv6(address: tuple[str, int], **options: Any) -> socket.socket:
        if options["family"] == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return create(address, **options)

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    [server] = serving.servers_on("localhost", 0, create_app(seeds.tickerq, users={"admin": QUICK_HASH}))
    assert server.host == "127.0.0.1"
    server.server_close()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_another_program_has_is_refused_in_words(seeds: Seeds, address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as other:
        port = other.getsockname()[1]
        result = invoke(seeds, "--port", str(port))
    assert result.exit_code == 1
    assert f"cannot listen on port {port} of localhost: Address already in use" in result.output
    assert "--port" in result.output
