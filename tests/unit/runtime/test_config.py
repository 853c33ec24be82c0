"""Settings: defaults, units, order of sources, and what is refused."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from datetime import timedelta
from inspect import signature
from typing import Any, get_type_hints

import pytest

from tickerq_celery import TickerQ
from tickerq_celery.enums import TickerPriority
from tickerq_celery.errors import ConfigError
from tickerq_celery.functions.retention import Retention, RetentionSettings
from tickerq_celery.runtime.config import SETTINGS, Settings, TickerConfig, config_from


def test_durations_are_timedeltas_or_seconds() -> None:
    config = TickerConfig(lease=90, heartbeat=2.5, poll_interval=timedelta(milliseconds=50))
    assert (config.lease, config.heartbeat) == (timedelta(seconds=90), timedelta(seconds=2.5))
    assert config.poll_interval == timedelta(milliseconds=50)


def test_the_defaults_are_those_of_the_documents() -> None:
    config = TickerConfig()
    assert (config.poll_interval, config.late_after) == (timedelta(seconds=1), timedelta(seconds=5))
    assert (config.lease, config.heartbeat) == (timedelta(seconds=30), timedelta(seconds=10))
    assert (config.payload_limit, config.embedded, config.seed) == (1024 * 1024, False, True)


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        TickerConfig().lease = timedelta(1)  # type: ignore[misc]


def test_keywords_come_before_the_app_and_the_app_before_defaults() -> None:
    config = config_from(
        {"lease": 60}, {"tickerq_lease": 90, "tickerq_max_queued": 7}, {"max_queued": 8, "namespace": "n"}
    )
    assert (config.lease, config.max_queued, config.namespace) == (timedelta(minutes=1), 7, "n")


@pytest.mark.parametrize(
    ("keywords", "conf", "named"),
    [
        ({"leese": 1}, {}, "leese"),
        ({"zzz": 1}, {}, "zzz"),
        ({}, {"tickerq_leese": 1}, "tickerq_leese"),
        ({}, {"tickerq_": 1}, "tickerq_"),
    ],
)
def test_an_unknown_name_is_refused(keywords: dict[str, Any], conf: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match="no such setting") as caught:
        config_from(keywords, conf, {})
    assert caught.value.setting == named


@pytest.mark.parametrize(
    ("keywords", "conf", "meant"),
    [
        ({"store_ulr": 1}, {}, "store_ulr: no such setting: did you mean store_url?"),
        ({}, {"tickerq_leese": 1}, "tickerq_leese: no such setting: did you mean tickerq_lease?"),
    ],
)
def test_the_setting_that_may_have_been_meant_is_named(
    keywords: dict[str, Any], conf: dict[str, Any], meant: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        config_from(keywords, conf, {})
    assert str(caught.value) == meant


DURATIONS = [
    "poll_interval",
    "late_after",
    "lease",
    "heartbeat",
    "publish_check",
    "republish_after",
    "durable_eta_timeout",
    "durable_eta_connect_timeout",
]


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize(
    "value", [0, -1, timedelta(0), "30", None, True, float("nan"), float("inf"), 1e30], ids=repr
)
def test_what_is_no_duration_is_refused(name: str, value: object) -> None:
    refused(name, value)


def test_later_calls_are_left_to_celery_unless_a_distance_says_from_when_on_they_are_kept() -> None:
    assert TickerConfig().durable_eta is None
    assert TickerConfig(durable_eta=90).durable_eta == timedelta(seconds=90)  # type: ignore[arg-type]
    assert TickerConfig(durable_eta=timedelta(hours=1)).durable_eta == timedelta(hours=1)


@pytest.mark.parametrize("value", ["redis", True, ""], ids=repr)
def test_calls_fall_back_on_celery_or_on_nothing(value: object) -> None:
    assert TickerConfig(durable_eta_fallback="celery").durable_eta_fallback == "celery"
    refused("durable_eta_fallback", value)


@pytest.mark.parametrize("value", [0, -1, "60", True, float("nan"), timedelta(days=367)], ids=repr)
def test_what_is_no_distance_is_refused(value: object) -> None:
    refused("durable_eta", value)


@pytest.mark.parametrize("value", [0, -1, "2", None, True, float("nan"), timedelta(hours=2)], ids=repr)
def test_what_is_no_time_to_read_is_refused(value: object) -> None:
    refused("read_budget", value)


COUNTS = {
    "max_queued": 1,
    "batch_size": 1,
    "store_retries": 0,
    "payload_limit": 1,
    "max_rescues": 0,
    "read_connections": 1,
}


@pytest.mark.parametrize(("name", "least"), COUNTS.items())
def test_a_count_has_a_least_value(name: str, least: int) -> None:
    assert getattr(TickerConfig(**{name: least}), name) == least
    refused(name, least - 1)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", ["1", 1.0, None, True], ids=repr)
def test_what_is_no_whole_number_is_refused(name: str, value: object) -> None:
    refused(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("namespace", ""),
        ("namespace", " n"),
        ("namespace", None),
        ("namespace", "x" * 101),
        ("node_identifier", ""),
        ("node_identifier", 7),
        ("node_identifier", "x" * 101),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", ""),
        ("time_zone", None),
        ("time_zone", "../etc/passwd"),
        ("time_zone", "localtime"),
        ("time_zone", "right/Europe/Berlin"),
        ("seed", 1),
        ("embedded", "yes"),
        ("max_concurrency", 0),
        ("max_concurrency", "2"),
        ("payload_limit", 16 * 1024 * 1024),
        ("store_engine_options", ["pool_size"]),
        ("priority_queues", ["long"]),
        ("priority_queues", {"URGENT": "fast"}),
        ("priority_queues", {9: "fast"}),
        ("priority_queues", {"HIGH": ""}),
        ("priority_queues", {"HIGH": None}),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(name: str, value: object) -> None:
    refused(name, value)


def test_a_lease_has_room_for_two_heartbeats() -> None:
    assert TickerConfig(lease=20, heartbeat=10).lease == timedelta(seconds=20)
    with pytest.raises(ConfigError, match=r"19 s leaves no room for two heartbeats of 10 s") as caught:
        TickerConfig(lease=19, heartbeat=10)
    with pytest.raises(ConfigError, match=r"1 min leaves no room for two heartbeats of 30\.01 s"):
        TickerConfig(lease=60, heartbeat=30.01)
    assert caught.value.setting == "tickerq_lease"


def test_the_queue_of_a_priority_may_be_named_by_the_priority_or_its_word() -> None:
    by_word = TickerConfig(priority_queues={"LONG_RUNNING": "long"})  # type: ignore[dict-item]
    assert by_word == TickerConfig(priority_queues={TickerPriority.LONG_RUNNING: "long"})


def test_type_checkers_know_each_setting() -> None:
    # Those that are read in another form than the one they are kept in.
    given = {
        timedelta: timedelta | float,
        timedelta | None: timedelta | float | None,
        Mapping[TickerPriority, str]: Mapping[TickerPriority, str] | Mapping[str, str],
        Retention: RetentionSettings | None,
    }
    parameters = signature(TickerQ).parameters
    kept = {name: kind for name, kind in get_type_hints(TickerConfig).items() if name not in parameters}
    assert get_type_hints(Settings) == {name: given.get(kind, kind) for name, kind in kept.items()}
    assert set(SETTINGS) - kept.keys() == parameters.keys() - {"app", "settings_"}


def refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        TickerConfig(**{name: value})
    assert caught.value.setting == f"tickerq_{name}"
