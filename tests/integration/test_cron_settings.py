"""Cron expressions from the configuration: found when the app is finalised, or an error that says all."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from celery import Celery, _state
from sqlalchemy import select

from tests.integration.apps import enrol_worker
from tests.tables import cron_tickers
from tickerq_celery import CronSetting, TickerQ, ticker_function
from tickerq_celery.errors import ConfigError, TickerValidationError

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
HOURLY, DAILY = "0 * * * *", "0 9 * * *"
MakeTickerQ = Callable[..., TickerQ]


@pytest.fixture(autouse=True)
def _hooks_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_state, "_on_app_finalizers", set(_state._on_app_finalizers))
    monkeypatch.setattr(TickerQ, "_of_app", WeakKeyDictionary())


@pytest.fixture
def make(store_url: str, namespace: str) -> Iterator[MakeTickerQ]:
    """Return a way to make a TickerQ whose app has some settings and is not finalised."""
    with ExitStack() as stack:

        def made(conf: dict[str, Any] | None = None, **options: Any) -> TickerQ:
            app = Celery(namespace, broker="memory://", set_as_current=False)
            stack.callback(app.close)
            app.config_from_object({} if conf is None else conf, **options)
            tickerq = TickerQ(app, store_url)
            # One that refuses its settings has opened nothing.
            stack.callback(lambda: tickerq._process._made and tickerq.close())
            return tickerq

        yield made


def define(setting: CronSetting, **options: Any) -> None:
    @ticker_function("Digest", cron=setting, **options)
    def digest() -> None: ...


def cron_of(tickerq: TickerQ) -> object:
    function = tickerq.registry.get("Digest")
    assert function is not None
    return function.cron


@pytest.mark.parametrize(
    ("conf", "options"),
    [
        ({"digest_cron": HOURLY}, {}),
        ({"DIGEST_CRON": HOURLY}, {}),
        ({"CELERY_DIGEST_CRON": HOURLY}, {"namespace": "CELERY"}),
    ],
)
def test_the_apps_configuration_comes_first(
    make: MakeTickerQ, monkeypatch: pytest.MonkeyPatch, conf: dict[str, str], options: dict[str, str]
) -> None:
    monkeypatch.setenv("DIGEST_CRON", DAILY)
    define(CronSetting("digest_cron", default="@weekly"))
    tickerq = make(conf, **options)
    tickerq.app.finalize()
    assert cron_of(tickerq) == HOURLY


def test_then_the_environment_and_then_the_default(
    make: MakeTickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    define(CronSetting("digest_cron", default="@weekly"))
    first = make()
    first.app.finalize()
    assert cron_of(first) == "@weekly"
    monkeypatch.setenv("DIGEST_CRON", DAILY)
    second = make()
    second.app.finalize()
    assert cron_of(second) == DAILY


@pytest.mark.parametrize("value", [HOURLY, "@every 2m"])
def test_a_worker_seeds_what_the_setting_holds(make: MakeTickerQ, value: str) -> None:
    define(CronSetting("digest_cron"), time_zone="Europe/Berlin")
    tickerq = make({"digest_cron": value})
    enrol_worker(tickerq)
    statement = select(cron_tickers.c.expression, cron_tickers.c.seed_expression, cron_tickers.c.time_zone)
    row = tickerq.core.database.read(lambda connection: connection.execute(statement).one())
    assert tuple(row) == (value, value, "Europe/Berlin")


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({}, ["neither in app.conf.digest_cron nor in the environment variable DIGEST_CRON"]),
        ({"digest_cron": ""}, ["5 or 6 fields are needed", "got ''"]),
        ({"digest_cron": "0 25 * * *"}, ["hour: '25'", "got '0 25 * * *'"]),
        ({"digest_cron": "0 0 30 2 *"}, ["never fires", "got '0 0 30 2 *'"]),
        ({"digest_cron": 300}, ["a cron expression is text", "got 300"]),
        ({"digest_cron": "@every 1s"}, ["jitter: longer than the interval"]),
    ],
)
def test_what_cannot_be_used_is_an_error_that_names_function_setting_and_value(
    make: MakeTickerQ, conf: dict[str, object], words: list[str]
) -> None:
    define(CronSetting("digest_cron"), jitter=5)
    with pytest.raises(ConfigError) as caught:
        make(conf).app.finalize()
    assert caught.value.setting == "digest_cron"
    assert all(word in str(caught.value) for word in ["digest_cron", "Digest", *words]), str(caught.value)


def test_a_function_of_one_app_waits_for_that_app_to_be_finalised(make: MakeTickerQ) -> None:
    tickerq = make({})
    setting = CronSetting("digest_cron")
    tickerq.function("Digest", cron=setting)(lambda: None)
    assert cron_of(tickerq) is setting
    tickerq.app.conf.digest_cron = DAILY
    enrol_worker(tickerq)
    assert cron_of(tickerq) == DAILY


def test_a_function_of_one_app_whose_setting_is_missing_stops_its_first_use(make: MakeTickerQ) -> None:
    tickerq = make({})
    tickerq.function("Digest", cron=CronSetting("digest_cron"))(lambda: None)
    with pytest.raises(ConfigError, match=r"digest_cron: .*function Digest"):
        enrol_worker(tickerq)


def test_a_function_that_comes_late_is_looked_up_at_once(make: MakeTickerQ) -> None:
    tickerq = make({"digest_cron": HOURLY})
    tickerq.app.finalize()
    define(CronSetting("digest_cron"))
    assert cron_of(tickerq) == HOURLY
    with pytest.raises(ConfigError, match="other_cron"):
        ticker_function("Other", cron=CronSetting("other_cron"))(lambda: None)


def test_a_placeholder_of_tickerqs_is_refused_with_what_to_write_instead(make: MakeTickerQ) -> None:
    with pytest.raises(TickerValidationError, match=r'cron: .*cron=CronSetting\("its_name"\).*%Jobs:Digest%'):
        make().function("Digest", cron="%Jobs:Digest%")(lambda: None)


def test_a_default_that_cannot_be_parsed_is_refused_where_it_stands(make: MakeTickerQ) -> None:
    with pytest.raises(TickerValidationError) as caught:
        define(CronSetting("digest_cron", default="bad"))
    for word in ("digest_cron", "Digest", "'bad'"):
        assert word in str(caught.value)
