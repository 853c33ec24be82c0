from pathlib import Path

import pytest

from tests.servers import finding
from tests.servers.services import SERVICES, Service

POSTGRES = SERVICES["postgres"]


@pytest.fixture
def empty_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any server, on which the environment names none either."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(finding, "FOLDERS", ())
    for service in SERVICES.values():
        if service.url_variable:
            monkeypatch.delenv(service.url_variable, raising=False)


def make_program(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)


@pytest.mark.usefixtures("empty_machine")
def test_a_missing_program_comes_with_the_way_to_get_it() -> None:
    assert POSTGRES.missing() == (
        "PostgreSQL: no initdb and no postgres: apt install postgresql, or set TICKERQ_TEST_POSTGRES_URL"
    )


@pytest.mark.usefixtures("empty_machine")
def test_a_given_address_replaces_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKERQ_TEST_POSTGRES_URL", "postgresql+psycopg://localhost/postgres")
    assert POSTGRES.missing() is None


def test_a_missing_driver_is_missing_like_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(
        label="Thing", programs=(), package="thing", driver="no_such_driver", url_variable="THING"
    )
    monkeypatch.setenv("THING", "thing://localhost")
    assert service.missing() == "Thing: no Python driver no_such_driver: make venv"


def test_the_newest_of_several_versions_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9.6", "17", "16"):
        make_program(tmp_path / version / "bin/initdb")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(finding, "FOLDERS", (f"{tmp_path}/*/bin",))
    assert finding.find_program("initdb") == str(tmp_path / "17/bin/initdb")


def test_the_path_comes_before_the_usual_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_program(tmp_path / "usual/initdb")
    make_program(tmp_path / "mine/initdb")
    monkeypatch.setenv("PATH", str(tmp_path / "mine"))
    monkeypatch.setattr(finding, "FOLDERS", (f"{tmp_path}/usual",))
    assert finding.find_program("initdb") == str(tmp_path / "mine/initdb")
