"""The wheel in virtual environments with nothing else: bare, and with each extra of `pyproject.toml`."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.run_mark import VARIABLE
from tests.thoroughness import in_proof

pytestmark = pytest.mark.verify

ROOT = Path(__file__).parents[1]
BARE = ""
NOT_A_USERS = {"dev", "docs"}
# What each is for, as a program that fails without it.
USES: Mapping[str, str] = {
    BARE: "import tickerq_celery.cli.commands, tickerq_celery.scheduler, tickerq_celery.testing",
    "dashboard": "import tickerq_dashboard.app",
    "cli": "import tickerq_celery.cli.rich_tables",
    "redis": "from celery import Celery; Celery(broker='redis://').connection().transport",
    "postgres": "from sqlalchemy import create_engine; create_engine('postgresql+psycopg://')",
    "mariadb": "from sqlalchemy import create_engine; create_engine('mariadb+pymysql://')",
    "encryption": "import tickerq_celery.payload.encryption",
}
# Without a server and with what Celery and the standard library bring.
APP = """
from celery import Celery
from tickerq_celery import TickerQ

app = Celery("installed", broker="memory://")
tickerq = TickerQ(app, store_url="sqlite:///tickers.db")

@tickerq.function("Send", cron="0 9 * * *")
def send():
    pass
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    [made] = folder.glob("tickerq_celery-*.whl")
    return made


@pytest.fixture(scope="module", params=[name or "bare" for name in USES])
def extra(request: pytest.FixtureRequest) -> str:
    return BARE if request.param == "bare" else request.param


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and what it requires, and not even pip."""
    made = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(made)
    install(made, str(wheel))
    return made


@pytest.fixture(scope="module")
def environment(bare: Path, wheel: Path, extra: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel, one extra and what they require."""
    made = tmp_path_factory.mktemp("installed") / "venv"
    # To install all of it anew would be most of the time.
    shutil.copytree(bare, made, symlinks=True, copy_function=os.link)
    for script in (made / "bin").iterdir():
        if (text := script.read_bytes()).startswith(b"#!"):
            script.unlink()  # else the other's would change
            script.write_bytes(text.replace(bytes(bare), bytes(made)))
            script.chmod(0o755)
    if extra:
        install(made, f"{wheel}[{extra}]")
    return made


def install(environment: Path, wanted: str) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(environment), "install", "--quiet"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), wanted], check=True)


def ran(environment: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in its folder, without a path to this clone."""
    environ = {name: os.environ[name] for name in ("HOME", VARIABLE) if name in os.environ}
    command = [str(environment / "bin" / program), *arguments]
    return subprocess.run(
        command, cwd=environment.parent, env=environ, capture_output=True, text=True, check=False
    )


def test_each_extra_of_a_user_has_a_use_in_this_test() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*project["optional-dependencies"], BARE} - NOT_A_USERS == set(USES)


# The drivers of servers and the encryption change none of that.
@pytest.mark.parametrize(
    "extra",
    ["bare", "dashboard", "cli", *map(in_proof, ("redis", "postgres", "mariadb", "encryption"))],
    indirect=True,
)
def test_an_installation_lists_its_commands_migrates_and_seeds(environment: Path, extra: str) -> None:
    (environment.parent / "installed.py").write_text(APP)
    for listed in (ran(environment, "tickerq", "--help"), ran(environment, "celery", "tickerq", "--help")):
        assert (listed.returncode, listed.stderr) == (0, "")
        assert ("needs the extra [dashboard]" in listed.stdout) is (extra != "dashboard")
    asked = ran(environment, "tickerq", "dashboard", "--help")
    assert asked.returncode == (0 if extra == "dashboard" else 1)
    assert "Traceback" not in asked.stderr
    assert ran(environment, "tickerq", "-A", "installed", "migrate").stderr == ""
    assert ran(environment, "tickerq", "-A", "installed", "seed").stdout == "seeded 1 cron ticker: Send\n"


@pytest.mark.parametrize("extra", ["bare"], indirect=True)
def test_celery_imports_nothing_of_an_installation_that_its_command_does_not_use(environment: Path) -> None:
    program = "import sys, celery.bin.celery; print([name for name in sys.modules if 'tickerq' in name])"
    assert ran(environment, "python", "-c", program).stdout == "['tickerq_entry']\n"


def test_an_extra_is_enough_for_what_it_is_for(environment: Path, extra: str) -> None:
    assert ran(environment, "python", "-c", USES[extra]).stderr == ""


@pytest.mark.parametrize("extra", ["bare"], indirect=True)
def test_a_bare_installation_has_nothing_of_the_extras(environment: Path) -> None:
    met = [name for name, use in USES.items() if ran(environment, "python", "-c", use).returncode == 0]
    assert met == [BARE]
