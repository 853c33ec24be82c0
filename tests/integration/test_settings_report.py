"""Effective settings, as people may see them: no secret of any setting, and where each comes from."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from cryptography.fernet import Fernet
from sqlalchemy import text

from tests.inner import SCHEMA
from tests.tables import metadata
from tickerq_celery import CronTicker, TickerQ
from tickerq_celery.enums import SettingSource
from tickerq_celery.runtime.config import SETTINGS
from tickerq_celery.settings import EMBEDDED_VARIABLE

SECRET = "s3cr3t-hunter2"
QUOTED = "s3cr3t%2Dhunter2"
KEY = Fernet.generate_key().decode()


class Handler:
    """A handler that says more of itself than people may see."""

    def __repr__(self) -> str:
        return f"Handler(dsn=https://{SECRET}@errors.example)"

    def handle_exception(self, exception: BaseException, ticker_id: object, ticker_type: object) -> None: ...

    def handle_canceled_exception(
        self, exception: BaseException, ticker_id: object, ticker_type: object
    ) -> None: ...


CORPUS: list[dict[str, Any]] = [
    {"store_url": f"postgresql+psycopg://shop:{SECRET}@127.0.0.1:1/tickers"},
    {"store_url": f"postgresql+psycopg://shop:{QUOTED}@127.0.0.1:1/tickers"},
    {"store_url": f"postgresql+psycopg://127.0.0.1:1/tickers?user=shop&password={SECRET}"},
    {"store_url": f"mariadb+pymysql://shop:{SECRET}@127.0.0.1:1/tickers?ssl_key_password={SECRET}"},
    {"store_engine_options": {"connect_args": {"password": SECRET}}},
    {"store_engine_options": {"connect_args": {"passphrase_of_key": {"deep": [SECRET]}}}},
    {"store_engine_options": {"connect_args": {"options": f"-c role.key={SECRET}"}, "pool_recycle": 60}},
    {"store_engine_options": {"connect_args": {"x": SECRET.encode(), "y": Handler()}}},
    {"store_engine_options": {"logging_name": f"shop:{SECRET}"}},
    {"encryption_keys": [KEY]},
    {"encryption_keys": [KEY, Fernet.generate_key().decode()]},
    {"exception_handler": Handler()},
    {"prune_archive": f"s3://shop:{SECRET}@bucket/ended.jsonl"},
    {"redact_text": lambda text: text.replace(SECRET, "")},
]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(EMBEDDED_VARIABLE, raising=False)
    made = Celery("shop", set_as_current=False)
    yield made
    made.close()


def values(tickerq: TickerQ) -> dict[str, str]:
    return {setting.name: setting.value for setting in tickerq.report().settings}


def test_every_setting_is_in_the_report_once(app: Celery) -> None:
    assert [setting.name for setting in TickerQ(app).report().settings] == list(SETTINGS)


@pytest.mark.parametrize("where", ["keyword", "configuration"])
@pytest.mark.parametrize("given", CORPUS, ids=[str(number) for number in range(len(CORPUS))])
def test_no_password_and_no_key_is_in_the_report(app: Celery, given: dict[str, Any], where: str) -> None:
    app.conf.broker_url = f"amqp://shop:{SECRET}@127.0.0.1:1//"
    if where == "configuration":
        app.conf.update({f"tickerq_{name}": value for name, value in given.items()})
        given = {}
    tickerq = TickerQ(app, **given)
    report = tickerq.report()
    for shown in (repr(report), str(report), json.dumps(asdict(report), default=str)):
        assert SECRET not in shown
        assert QUOTED not in shown
        assert KEY not in shown
    tickerq.close()


def test_each_value_says_where_it_comes_from(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    app.conf.update(tickerq_lease=60, tickerq_heartbeat=5.25, timezone="Europe/Berlin")
    monkeypatch.setenv(EMBEDDED_VARIABLE, "1")
    report = TickerQ(app, lease=90).report()
    found = {setting.name: (setting.value, setting.source) for setting in report.settings}
    assert found["lease"] == ("1 min 30 s", SettingSource.KEYWORD)
    assert found["heartbeat"] == ("5.25 s", SettingSource.CONFIGURATION)
    assert found["embedded"] == ("True", SettingSource.ENVIRONMENT)
    assert found["time_zone"] == ("Europe/Berlin", SettingSource.APP)
    assert found["namespace"] == ("shop", SettingSource.APP)
    assert found["batch_size"] == ("500", SettingSource.DEFAULT)


def test_values_are_shown_in_words(app: Celery) -> None:
    found = values(
        TickerQ(
            app,
            priority_queues={"high": "urgent"},
            encryption_keys=[KEY],
            exception_handler=Handler(),
            max_queued=10_000,
            store_engine_options={
                "isolation_level": "AUTOCOMMIT",
                "connect_args": {"timeout": 5, "a": "b"},
            },
        )
    )
    assert found["priority_queues"] == "high: urgent"
    assert found["encryption_keys"] == "••• (1 key)"
    assert found["exception_handler"] == f"{Handler.__module__}.Handler"
    assert (found["max_queued"], found["compress_over"]) == ("10,000", "4,096")
    assert found["store_engine_options"] == "isolation_level: AUTOCOMMIT, connect_args: {timeout: 5, a: •••}"
    assert found["retention"].startswith("done 30 d, ")
    assert found["durable_eta"] == "none"


def test_a_report_needs_no_store(app: Celery) -> None:
    report = TickerQ(app, store_url="postgresql+psycopg://127.0.0.1:1/tickers").report()
    assert report.schema is None
    assert report.schema_problem is not None
    assert report.schema_problem.startswith("the store did not answer: ")
    assert report.store == "postgresql+psycopg://127.0.0.1:1/tickers"


@pytest.mark.every_database
def test_a_report_says_what_the_store_says_of_its_tables(app: Celery, store_url: str) -> None:
    tickerq = TickerQ(app, store_url=store_url)
    report = tickerq.report()
    assert report.schema is not None
    assert (report.schema.number, report.schema.digest) == (SCHEMA.number, report.digest_needed)
    assert report.schema_problem is None
    assert report.node == tickerq.core.node.name
    tickerq.close()


@pytest.mark.every_database
def test_a_report_says_how_large_the_tables_are(app: Celery, store_url: str) -> None:
    tickerq = TickerQ(app, store_url=store_url)
    for _ in range(3):
        tickerq.cron_tickers.add(CronTicker("Send", expression="@daily"), allow_unknown=True)
    if not store_url.startswith("sqlite"):
        analyze = "ANALYZE" if store_url.startswith("postgres") else "ANALYZE TABLE"
        tickerq.core.write(lambda tx: tx.execute(text(f"{analyze} tickerq_cron_tickers")))
    sizes = {each.name: each for each in tickerq.report().tables}
    assert set(sizes) == set(metadata.tables)
    assert (sizes["tickerq_cron_tickers"].rows or 0) >= 3
    assert (sizes["tickerq_cron_tickers"].bytes is None) == store_url.startswith("sqlite")
    if store_url.startswith("sqlite"):
        assert sizes["tickerq_bulk"].rows == 0
    tickerq.close()


def test_a_store_without_tables_is_said_to_have_none(app: Celery, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    report = TickerQ(app, store_url=f"sqlite:///{tmp_path}/empty.db").report()
    assert report.schema is None
    assert "tickerq migrate" in str(report.schema_problem)
