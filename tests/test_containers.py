"""The Dockerfile and docker-compose.yml against the code that they run."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import pytest
import yaml
from jsonschema import Draft7Validator
from sqlalchemy import create_engine, insert, update
from sqlalchemy.pool import NullPool

from examples.notifications.settings import from_environment
from tests.acceptance.waiting import wait_until
from tests.acceptance.warm import WarmServer
from tests.inner import new_id
from tests.run_mark import inherited
from tests.servers.ports import free_port
from tests.servers.schema_template import make_schema
from tests.tables import nodes
from tests.thoroughness import in_verify
from tickerq_celery.enums import NodeKind

ROOT = Path(__file__).parents[1]
COMPOSE_FILE = ROOT / "docker-compose.yml"
COMPOSE_SCHEMA = Path(__file__).with_name("compose_spec") / "compose-spec.json"
OURS = ("mail", "migrate", "beat", "worker", "web")
THEIRS = ("postgres", "redis")
EXTRAS = ("dashboard", "redis", "postgres")
ONE_SHOT = "migrate"
ROOTS = {None, "", "0", "root"}
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")
WAIT_SECONDS = 30.0


class ReadVariables(dict[str, str]):
    """An environment that notes what is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default


def interpolated(text: str) -> str:
    return VARIABLE.sub(lambda found: found["default"] or "", text)


def instructions() -> list[list[str]]:
    """Return the Dockerfile's instructions, each as its words."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line.split(maxsplit=1) for line in joined.splitlines() if line]


def arguments(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def image_environment() -> dict[str, str]:
    pairs = [word.partition("=") for word in shlex.split(arguments("ENV")[-1])]
    return {name: value for name, _, value in pairs}


def image_health_check() -> list[str]:
    [check] = arguments("HEALTHCHECK")
    return list(yaml.safe_load(check.partition("CMD ")[2]))


@pytest.fixture(scope="module")
def services() -> Mapping[str, Any]:
    return yaml.safe_load(COMPOSE_FILE.read_text())["services"]


def test_compose_has_every_part_of_the_system(services: Mapping[str, Any]) -> None:
    assert set(services) == {*OURS, *THEIRS}
    assert services["beat"]["deploy"]["replicas"] == 2
    assert "container_name" not in services["worker"]
    assert "ports" not in services["worker"]  # either would keep it from being scaled


def test_the_file_is_what_the_compose_specification_says() -> None:
    validator = Draft7Validator(json.loads(COMPOSE_SCHEMA.read_text()))
    given = yaml.safe_load(interpolated(COMPOSE_FILE.read_text()))
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(given)] == []
    given["services"]["worker"]["restarts"] = "always"
    assert [error.json_path for error in validator.iter_errors(given)] == ["$.services.worker"]


@pytest.mark.parametrize("name", [name for name in (*OURS, *THEIRS) if name != ONE_SHOT])
def test_every_service_that_stays_has_a_health_check(services: Mapping[str, Any], name: str) -> None:
    if name == "web":
        assert "healthcheck" not in services[name]
        assert image_health_check()
    else:
        assert services[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("migrate", {"postgres": "service_healthy"}),
        ("beat", {"migrate": "service_completed_successfully", "redis": "service_healthy"}),
        (
            "worker",
            {
                "migrate": "service_completed_successfully",
                "redis": "service_healthy",
                "mail": "service_healthy",
            },
        ),
        ("web", {"migrate": "service_completed_successfully", "redis": "service_healthy"}),
    ],
)
def test_a_service_starts_when_what_it_needs_is_ready(
    services: Mapping[str, Any], name: str, needs: dict[str, str]
) -> None:
    assert {need: how["condition"] for need, how in services[name]["depends_on"].items()} == needs


def test_the_migration_runs_once(services: Mapping[str, Any]) -> None:
    assert services[ONE_SHOT]["restart"] == "no"
    assert services[ONE_SHOT]["healthcheck"] == {"disable": True}


def test_nothing_runs_as_root(services: Mapping[str, Any]) -> None:
    assert arguments("USER")[-1] not in ROOTS
    for name in OURS:
        assert services[name].get("user", "left to the image") not in ROOTS
        assert services[name]["cap_drop"] == ["ALL"]
    for name in THEIRS:
        assert services[name].get("user") not in ROOTS


def test_the_file_systems_of_containers_are_read_only_but_for_a_scratch_folder(
    services: Mapping[str, Any],
) -> None:
    assert {name for name, service in services.items() if service.get("read_only")} == {*OURS, "redis"}
    assert {tuple(services[name]["tmpfs"]) for name in OURS} == {("/tmp",)}


def test_the_image_has_the_dependencies_in_a_layer_before_the_sources() -> None:
    names = [f"{name} {rest}" for name, rest in instructions()]
    install = next(number for number, line in enumerate(names) if "-r requirements.txt" in line)
    assert max(number for number, line in enumerate(names) if "constraints.txt" in line) == install
    assert (
        install < names.index("COPY tickerq_celery tickerq_celery") < names.index("COPY dashboard dashboard")
    )


def test_the_image_installs_what_the_project_and_its_extras_require() -> None:
    [listing] = [rest.partition(" > ")[0] for rest in arguments("RUN") if "requirements.txt" in rest]
    command = [sys.executable, *shlex.split(listing)[1:]]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(each for name in EXTRAS for each in extras[name]), "aiosmtpd"]
    assert listed.splitlines() == wanted


def test_the_connections_of_three_workers_leave_room_in_postgres(services: Mapping[str, Any]) -> None:
    command = services["worker"]["command"]
    children = int(command[command.index("--concurrency") + 1])
    # One, and one for a moment of the heartbeat, for each process of three workers, and of two beats.
    assert 3 * 2 * (children + 1) + 2 * 2 < 50


def steps(command: list[str]) -> list[list[str]]:
    """Return the commands that a service's command runs one after the other."""
    if command[:2] != ["sh", "-c"]:
        return [command]
    return [shlex.split(step) for step in command[2].split("&&")]


def test_every_command_names_a_module_that_exists(services: Mapping[str, Any]) -> None:
    modules = []
    for name in OURS:
        command = services[name].get("command") or yaml.safe_load(arguments("CMD")[-1])
        for step in steps(command):
            if step[:2] == ["python", "-m"]:
                modules.append(step[2])
            else:
                assert step[:2] == ["celery", "--app"], command
                assert step[3] in {"worker", "beat", "tickerq"}
                modules.append(step[2])
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


def test_every_variable_is_one_that_the_example_reads(services: Mapping[str, Any]) -> None:
    known = ReadVariables()
    from_environment(known)
    used = {name for service in OURS for name in services[service].get("environment", {})}
    assert used - known.names == set()
    assert image_environment().keys() - known.names == {"PATH", "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("name", OURS)
def test_the_example_accepts_the_values_it_is_given(services: Mapping[str, Any], name: str) -> None:
    given = {
        variable: interpolated(value) for variable, value in services[name].get("environment", {}).items()
    }
    settings = from_environment(image_environment() | given)
    assert settings.broker_url == "redis://redis:6379/0"
    assert settings.host == "0.0.0.0"
    assert settings.smtp_port == 2525


def test_the_servers_in_the_urls_are_services(services: Mapping[str, Any]) -> None:
    environment = services["worker"]["environment"]
    assert "@postgres/" in interpolated(environment["STORE_URL"])
    assert {"postgres", "redis", environment["SMTP_HOST"]} <= set(services)


def test_every_password_comes_from_the_environment_and_its_default_says_that_it_is_for_a_demo() -> None:
    found = {match["name"]: match["default"] for match in VARIABLE.finditer(COMPOSE_FILE.read_text())}
    assert None not in found.values()
    passwords = {name: default for name, default in found.items() if "PASSWORD" in name}
    assert passwords == {"POSTGRES_PASSWORD": "demo-password"}


def test_the_store_is_opened_with_the_password_that_postgres_got(services: Mapping[str, Any]) -> None:
    server = {name: interpolated(value) for name, value in services["postgres"]["environment"].items()}
    user, password, database = (server[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB"))
    store_url = interpolated(services["worker"]["environment"]["STORE_URL"])
    assert store_url == f"postgresql+psycopg://{user}:{password}@postgres/{database}"


def test_only_the_web_app_is_published_and_only_to_this_machine(services: Mapping[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_the_image_copies_what_exists_and_is_not_ignored() -> None:
    copied = [
        source for rest in arguments("COPY") if not rest.startswith("--from") for source in rest.split()[:-1]
    ]
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(copied) == sorted(kept)
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_docker_compose_understands_the_file() -> None:
    docker = shutil.which("docker")
    version = [docker or "docker", "compose", "version"]
    if docker is None or subprocess.run(version, capture_output=True, check=False).returncode:
        pytest.skip("no docker compose on this machine")
    command = [docker, "compose", "--file", str(COMPOSE_FILE), "config", "--quiet"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def health_of(check: list[str], **environ: str) -> int:
    assert check[0] == "python"
    command = [sys.executable, *check[1:]]
    return subprocess.run(command, env=inherited() | environ, capture_output=True, check=False).returncode


@pytest.fixture
def node_store(shared_server: Callable[[str], Any]) -> Iterator[str]:
    """A PostgreSQL store of this test alone, with a beat and a worker of this host that have just beaten."""
    server = shared_server("postgres")
    url = server.new_database()
    make_schema(url)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        now = connection.exec_driver_sql("SELECT now()").scalar_one()
        for kind in NodeKind:
            profile = {
                "id": new_id(), "namespace": "notifications", "kind": kind.value, "name": "n",
                "host": socket.gethostname(), "pid": 1, "version": "1", "queues": [], "functions": {},
                "functions_hash": "0", "definitions": {}, "definitions_hash": "0",
                "heartbeat": timedelta(seconds=10), "lease": timedelta(seconds=30), "counter": 0,
            }  # fmt: skip
            connection.execute(insert(nodes).values(**profile, started_at=now, seen_at=now, clock_at=now))
    yield url
    server.drop_database(url)


@pytest.mark.parametrize("name", [in_verify("beat"), "worker"])
def test_a_node_is_healthy_while_its_own_heartbeat_is_young(
    services: Mapping[str, Any], node_store: str, name: str, warm_server: WarmServer, tmp_path: Path
) -> None:
    check = services[name]["healthcheck"]["test"][1:]
    # The broker is not asked.
    environ = inherited() | {"STORE_URL": node_store, "BROKER_URL": "redis://127.0.0.1:1/0"}

    def health() -> int:
        checking = warm_server.launch(check, folder=ROOT, environ=environ, log=tmp_path / "check.log")
        return checking.wait(WAIT_SECONDS)

    def silence(kind: NodeKind) -> None:
        with create_engine(node_store, poolclass=NullPool).begin() as connection:
            long_ago = connection.exec_driver_sql("SELECT now() - interval '31 seconds'").scalar_one()
            connection.execute(update(nodes).where(nodes.c.kind == kind.value).values(seen_at=long_ago))

    own = NodeKind(name)
    other = NodeKind.WORKER if own is NodeKind.BEAT else NodeKind.BEAT
    silence(other)
    assert health() == 0
    silence(own)
    assert health() == 1


@contextmanager
def running(module: str, folder: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Run a module of the example as the container does."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "dashboard")])
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=folder,
        env={**inherited(), **environ, "PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def becomes_healthy(check: list[str], port: str, **environ: str) -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    # Each check is a Python of its own: none is started for nothing.
    wait_until(lambda: is_open(int(port)), lambda: f"a listener on port {port}", WAIT_SECONDS)
    while health_of(check, **environ) != 0:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.acceptance
def test_the_web_app_is_healthy_when_its_dashboard_answers(tmp_path: Path) -> None:
    port = str(free_port())
    check = image_health_check()
    assert health_of(check, PORT=port) != 0
    with running("examples.notifications.web", tmp_path, {"HOST": "127.0.0.1", "PORT": port}):
        assert becomes_healthy(check, port, PORT=port)


@pytest.mark.verify
@pytest.mark.acceptance
def test_the_demonstration_listens_here_only_and_says_on_every_page_that_it_is_one(
    tmp_path: Path, schema_url: Callable[[str], str]
) -> None:
    store = shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), tmp_path / "tickers.db")
    port = free_port()
    password = b64encode(b"admin:secure-password").decode()
    # Without a host, as `make demo` starts it.
    with running(
        "examples.notifications.web", tmp_path, {"PORT": str(port), "STORE_URL": f"sqlite:///{store}"}
    ):
        wait_until(lambda: is_open(port), lambda: f"a listener on port {port}", WAIT_SECONDS)
        sockets = [each.laddr for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        assert {each.ip for each in sockets if each.port == port} <= {"127.0.0.1", "::1"}
        for path in ("/", "/runs", "/crons/new", "/settings", "/logout", "/help"):
            page = Request(f"http://127.0.0.1:{port}/admin/tickerq{path}")
            page.add_header("Authorization", f"Basic {password}")
            with urlopen(page) as answer:
                assert b"This is a demonstration, and everyone knows its password" in answer.read(), path


@pytest.mark.acceptance
def test_the_mail_server_is_healthy_when_it_answers(services: Mapping[str, Any], tmp_path: Path) -> None:
    port = str(free_port())
    check = [word.replace("2525", port) for word in services["mail"]["healthcheck"]["test"][1:]]
    assert health_of(check) != 0
    with running("examples.notifications.smtp_server", tmp_path, {"SMTP_PORT": port}):
        assert becomes_healthy(check, port)
