"""Under pytest no store is written to that the ini does not allow, also by processes that tests start."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from tests.integration.apps import messages, ticker_app
from tests.kit.projects import Project
from tickerq_celery import TimeTicker
from tickerq_celery.errors import ConfigError, SchemaError
from tickerq_celery.scheduler import TickerScheduler
from tickerq_celery.store.database.allowed_stores import VARIABLE, is_allowed
from tickerq_celery.testing import TickerQTest

ADDRESS = "postgresql+psycopg://me:secret@db/test_shop"


@pytest.mark.parametrize(
    ("url", "patterns", "expected"),
    [
        (ADDRESS, [], False),
        (ADDRESS, ["test_*"], True),
        (ADDRESS, ["shop", "prod_*"], False),
        (ADDRESS, ["postgresql*@db/test_shop"], True),
        (ADDRESS, ["*secret*"], False),
        ("sqlite:////srv/shop/tests.db", ["tests.db"], True),
        ("sqlite:////srv/shop/tests.db", ["/srv/shop/*"], True),
        ("sqlite:////srv/shop/tickerq.db", ["tests.db"], False),
        ("sqlite:////srv/shop/tickerq.db", ["*"], True),
    ],
)
def test_a_pattern_means_a_databases_name_its_file_or_the_address_without_password(
    url: str, patterns: list[str], expected: bool
) -> None:
    assert is_allowed(make_url(url), patterns) is expected


def test_every_way_to_write_is_refused_and_reading_is_not(
    schema_url: Callable[[str], str], namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "production.db"
    shutil.copyfile(schema_url("sqlite").removeprefix("sqlite:///"), file)
    with ticker_app(f"sqlite:///{file}", namespace) as tickerq:
        tickerq.function("Greet")(lambda: None)
        ticker = TimeTicker(function="Greet")
        monkeypatch.setenv(VARIABLE, "other.db")
        engine = create_engine(tickerq.store_url)
        with pytest.raises(ConfigError, match=r"production\.db: use the fixture `tickerq`"):
            tickerq.time_tickers.add(ticker)
        with Session(engine) as session, pytest.raises(ConfigError):
            tickerq.time_tickers.add(ticker, session=session)
        for write in (tickerq.seed, tickerq.create_schema):
            with pytest.raises(ConfigError):
                write()
        assert messages(tickerq) == []
        assert tickerq.runs.count() == 0
        monkeypatch.setenv(VARIABLE, "production.db")
        tickerq.time_tickers.add(ticker)
        assert tickerq.runs.count() == 1
        engine.dispose()


def test_a_beat_ends_in_words(
    schema_url: Callable[[str], str],
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ticker_app(schema_url("sqlite"), namespace) as tickerq:
        monkeypatch.setenv(VARIABLE, "other.db")
        beat = TickerScheduler(tickerq.app)
        with pytest.raises(SystemExit):
            beat.tick()
        assert "beat cannot run: store_url: a test was about to write to" in caplog.text
        with pytest.raises(SystemExit):
            beat.close()
        assert "Traceback" not in caplog.text


def test_a_store_that_is_not_there_is_not_made(
    namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ticker_app(f"sqlite:///{tmp_path}/production.db", namespace) as tickerq:
        monkeypatch.setenv(VARIABLE, "")
        with pytest.raises(ConfigError):
            tickerq.create_schema()
        with pytest.raises(SchemaError):
            tickerq.runs.count()
    assert list(tmp_path.iterdir()) == []


def test_a_project_whose_tests_forget_the_fixture_is_refused_in_words(project: Project) -> None:
    project.write(
        "test_shop.py",
        """
        import subprocess, sys
        from shop import greet

        def test_greeting():
            greet.schedule("Ada")

        def test_another_process():
            subprocess.run([sys.executable, "-c", "import shop; shop.greet.schedule('Bob')"], check=True)
        """,
    )
    result = project.pytest()
    assert result.output.count("a test was about to write to sqlite:///") >= 1
    assert "2 failed" in result.output
    assert "CalledProcessError" in result.output
    assert project.made() == {"shop.py", "test_shop.py", "pytest.ini"}


def test_a_conftest_is_bound_as_the_tests_are(project: Project) -> None:
    project.write("conftest.py", "import shop\nshop.tickerq.create_schema()\n")
    result = project.pytest()
    assert "a test was about to write to sqlite:///" in result.output
    assert "tickerq.db" not in project.made()


def test_the_plugin_imports_nothing_heavy_in_a_project_that_does_not_use_it(project: Project) -> None:
    (project.folder / "shop.py").unlink()
    (project.folder / "pytest.ini").unlink()
    code = (
        "import sys, pytest; code = pytest.main(['--collect-only', '-q', '-p', 'pytest_tickerq']); "
        "assert 'pytest_tickerq' in sys.modules; "
        "print(code.name, sorted({'celery', 'sqlalchemy', 'tickerq_celery'} & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "NO_TESTS_COLLECTED []"


def test_the_heartbeat_of_a_worker_in_the_test_may_write_to_the_tests_store(
    tickerq: TickerQTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "other.db")
    tickerq.own.core.database.unpooled().refuse_unallowed_write()


def test_the_entry_point_is_the_plugin() -> None:
    from importlib.metadata import entry_points

    assert [each.value for each in entry_points(group="pytest11") if "tickerq" in each.name] == [
        "pytest_tickerq"
    ]
