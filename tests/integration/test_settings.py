"""Where settings come from, and what is refused."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tickerq_celery import TickerQ
from tickerq_celery.errors import ConfigError
from tickerq_celery.settings import EMBEDDED_VARIABLE, SCHEDULER, addresses, check_celery

STORE = "sqlite:///never-opened.db"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL", EMBEDDED_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def app() -> Iterator[Celery]:
    made = Celery("shop", set_as_current=False)
    yield made
    made.close()


class Conf:
    tickerq_lease = 60
    TICKERQ_MAX_QUEUED = 7


class PrefixedConf:
    CELERY_TICKERQ_LEASE = 60
    CELERY_TICKERQ_MAX_QUEUED = 7
    CELERY_TIMEZONE = "Asia/Tokyo"
    OTHER = 1


def test_settings_come_from_keywords_then_the_app_then_defaults(app: Celery) -> None:
    app.conf.tickerq_lease = 60
    app.conf.tickerq_poll_interval = 9
    config = TickerQ(app, STORE, poll_interval=timedelta(seconds=2)).config
    assert (config.poll_interval, config.lease) == (timedelta(seconds=2), timedelta(minutes=1))
    assert (config.late_after, config.store_url) == (timedelta(seconds=5), STORE)


def test_a_config_object_is_read(app: Celery) -> None:
    app.config_from_object(Conf)
    config = TickerQ(app, STORE).config
    assert (config.lease, config.max_queued) == (timedelta(minutes=1), 7)


def test_a_config_object_may_have_a_namespace(app: Celery) -> None:
    app.config_from_object(PrefixedConf, namespace="CELERY")
    config = TickerQ(app, STORE).config
    assert (config.lease, config.max_queued) == (timedelta(minutes=1), 7)
    assert config.time_zone == "Asia/Tokyo"


def test_in_a_config_object_with_a_namespace_our_settings_count_without_it_too(app: Celery) -> None:
    app.config_from_object(
        type("DjangoSettings", (PrefixedConf,), {"TICKERQ_POLL_INTERVAL": 9}), namespace="CELERY"
    )
    config = TickerQ(app, STORE).config
    assert (config.poll_interval, config.lease) == (timedelta(seconds=9), timedelta(minutes=1))


def test_a_setting_with_and_without_the_namespace_is_refused(app: Celery) -> None:
    app.config_from_object(type("DjangoSettings", (PrefixedConf,), {"TICKERQ_LEASE": 30}), namespace="CELERY")
    expected = "^tickerq_lease: CELERY_TICKERQ_LEASE and TICKERQ_LEASE are both set: keep one of them$"
    with pytest.raises(ConfigError, match=expected):
        TickerQ(app, STORE).config  # noqa: B018 - the first use reads the settings


def test_a_store_url_may_begin_with_postgres(app: Celery) -> None:
    assert TickerQ(app, "postgres://ada:secret@host/jobs").store_url == (
        "postgresql+psycopg://ada:secret@host/jobs"
    )


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgresql+nosuch://host/x", "; to use another one write postgresql+psycopg://…"),
        ("mysql+nosuch://host/x", "; to use another one write mysql+pymysql://…"),
        ("sqlite+nosuch:///x.db", ""),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_ours(app: Celery, url: str, advice: str) -> None:
    with pytest.raises(ConfigError, match=r"^store_url: the driver for \w+\+nosuch is not") as caught:
        TickerQ(app, url).core.database.engine  # noqa: B018 - the first use makes it
    assert str(caught.value).partition("nosuch is not installed")[2].endswith(advice or "nosuch")


def test_settings_made_after_the_ticker_q_count(app: Celery) -> None:
    tickerq = TickerQ(app, STORE)
    app.conf.update(tickerq_lease=60)
    assert tickerq.config.lease == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("main", "namespace"), [("shop", "shop"), (None, "default"), ("__main__", "default"), ("", "default")]
)
def test_the_namespace_is_the_apps_name(main: str | None, namespace: str) -> None:
    with Celery(main, set_as_current=False) as app:
        assert TickerQ(app, STORE).config.namespace == namespace
    with Celery(main, set_as_current=False) as app:
        assert TickerQ(app, STORE, namespace="own").config.namespace == "own"


def test_the_time_zone_is_the_apps(app: Celery) -> None:
    app.conf.timezone = "Europe/Berlin"
    assert TickerQ(app, STORE).config.time_zone == "Europe/Berlin"


def test_an_app_in_a_zone_without_an_iana_name_is_refused_with_where_it_comes_from(app: Celery) -> None:
    app.conf.timezone = "localtime"
    expected = (
        r"^tickerq_time_zone: must be an IANA name, .*'localtime'; where it is unset, app\.conf\.timezone"
    )
    with pytest.raises(ConfigError, match=expected):
        TickerQ(app, STORE).config  # noqa: B018 - the first use reads the settings


def test_a_celery_that_is_too_old_is_refused_by_its_version() -> None:
    check_celery((5, 6))
    with pytest.raises(ConfigError, match=r"celery: install Celery 5\.6 or newer \(got 5\.5\)"):
        check_celery((5, 5))


def test_an_unknown_keyword_is_an_error_where_it_stands(app: Celery) -> None:
    with pytest.raises(ConfigError, match=r"^leese: no such setting"):
        TickerQ(app, STORE, leese=60)


def in_conf(app: Celery) -> None:
    app.conf.tickerq_leese = 60


def in_an_object(app: Celery) -> None:
    app.config_from_object({"tickerq_leese": 60})


def in_capitals(app: Celery) -> None:
    app.config_from_object({"TICKERQ_LEESE": 60})


def under_a_namespace(app: Celery) -> None:
    app.config_from_object(type("Conf", (), {"CELERY_TICKERQ_LEESE": 60}), namespace="CELERY")


@pytest.mark.parametrize("misspell", [in_conf, in_an_object, in_capitals, under_a_namespace])
def test_an_unknown_setting_of_the_apps_is_an_error_that_names_it(app: Celery, misspell: Any) -> None:
    misspell(app)
    tickerq = TickerQ(app, STORE)
    with pytest.raises(ConfigError, match=r"^tickerq_leese: no such setting"):
        tickerq.core  # noqa: B018 - the first use reads the settings


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"lease": 10, "heartbeat": 6}, "tickerq_lease"),
        ({"poll_interval": 0}, "tickerq_poll_interval"),
        ({"time_zone": "Mars/Olympus"}, "tickerq_time_zone"),
        ({"max_concurrency": 0}, "tickerq_max_concurrency"),
        ({"store_url": "nonsense"}, "store_url"),
        ({"store_url": "oracle://x"}, "store_url"),
        ({"store_url": "sqlite://"}, "store_url"),
        ({"store_url": "sqlite:///:memory:"}, "store_url"),
        ({"store_url": "sqlite:///file:x?mode=memory&uri=true"}, "store_url"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_that_names_it(
    app: Celery, settings: dict[str, Any], named: str
) -> None:
    tickerq = TickerQ(app, **settings)
    with pytest.raises(ConfigError) as caught:
        tickerq.core  # noqa: B018 - the first use reads the settings
    assert caught.value.setting == named


def test_beat_runs_our_scheduler_unless_the_user_chose(app: Celery) -> None:
    TickerQ(app, STORE)
    assert app.conf.beat_scheduler == SCHEDULER
    with Celery("chosen", set_as_current=False) as other:
        other.conf.beat_scheduler = "my.beat:Scheduler"
        TickerQ(other, STORE)
        assert other.conf.beat_scheduler == "my.beat:Scheduler"


def test_max_concurrency_is_the_default_of_a_workers(app: Celery) -> None:
    TickerQ(app, STORE, max_concurrency=3)
    assert app.conf.worker_concurrency == 3
    with Celery("chosen", set_as_current=False) as other:
        other.conf.worker_concurrency = 8
        TickerQ(other, STORE, max_concurrency=3)
        assert other.conf.worker_concurrency == 8
    with Celery("unset", set_as_current=False) as unset:
        TickerQ(unset, STORE)
        assert not unset.conf.worker_concurrency


@pytest.mark.parametrize("how", ["keyword", "environment", "conf"])
def test_an_embedded_app_has_a_file_and_a_broker_beside_it(
    app: Celery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    if how == "environment":
        monkeypatch.setenv(EMBEDDED_VARIABLE, "1")
    if how == "conf":
        app.conf.tickerq_embedded = True
    tickerq = TickerQ(app, embedded=True) if how == "keyword" else TickerQ(app)
    with caplog.at_level("INFO"):
        assert tickerq.store_url == f"sqlite:///{tmp_path}/tickerq.db"
    assert app.conf.broker_url == f"tickerq-fs://{tmp_path}/tickerq-broker"
    lines = [record.getMessage() for record in caplog.records if str(tmp_path) in record.getMessage()]
    assert len(lines) == 1
    assert f"{tmp_path}/tickerq.db" in lines[0]
    assert f"{tmp_path}/tickerq-broker" in lines[0]


def test_an_embedded_broker_stands_beside_the_store(app: Celery, tmp_path: Path) -> None:
    TickerQ(app, "sqlite:///data/jobs.db", embedded=True)
    assert app.conf.broker_url == f"tickerq-fs://{tmp_path}/data/jobs-broker"


def test_an_embedded_app_keeps_the_broker_it_names(app: Celery) -> None:
    app.conf.broker_url = "redis://somewhere"
    TickerQ(app, embedded=True)
    assert app.conf.broker_url == "redis://somewhere"


@pytest.mark.parametrize("value", ["", "0"])
def test_without_embedded_and_without_a_broker_celerys_default_stays(
    app: Celery, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(EMBEDDED_VARIABLE, value)
    TickerQ(app, STORE).core  # noqa: B018 - the first use reads the settings
    assert app.conf.broker_url is None
    assert app.connection_for_write().transport_cls == "amqp"


@pytest.mark.parametrize(
    "broker",
    [
        "sentinel://:hunter2@one:26379;sentinel://:hunter2@two:26379",
        ["redis://:hunter2@one/0", "redis://:hunter2@two/0"],
        "amqp://ann:hunter2;hunter2/@one:two//",
    ],
)
def test_addresses_of_several_brokers_are_logged_without_passwords(app: Celery, broker: Any) -> None:
    app.conf.broker_url = broker
    store = TickerQ(app, "postgresql+psycopg://h/tickers?user=ann&password=hunter2").core.database
    shown = addresses(app, store)
    assert "one" in shown
    assert "two" in shown
    assert "hunter2" not in shown


def test_a_password_is_not_logged(app: Celery, caplog: pytest.LogCaptureFixture) -> None:
    app.conf.broker_url = "redis://:hunter2@localhost/0"
    tickerq = TickerQ(app, "postgresql+psycopg://ann:hunter2@localhost/tickers")
    with caplog.at_level("DEBUG"):
        assert "hunter2" in tickerq.store_url
    assert "tickers" in caplog.text
    assert "hunter2" not in caplog.text
