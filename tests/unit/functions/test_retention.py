"""How long what ended is kept: defaults, what a setting changes of them, and what it is refused for."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tickerq_celery.enums import TickerStatus
from tickerq_celery.errors import ConfigError, TickerValidationError
from tickerq_celery.functions.retention import Retention, retention_of, rules_of
from tickerq_celery.views import TickerConfig

DONE, FAILED = TickerStatus.DONE, TickerStatus.FAILED
DAY = timedelta(days=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_history_ends_by_default() -> None:
    shown = (
        "done 30 d, due_done 30 d, failed 90 d, cancelled 90 d, skipped 30 d, audit 365 d, bulk 90 d, "
        "rollups 400 d"
    )
    assert str(Retention()) == str(retention_of({})) == shown
    named = retention_of({"done": 120, "functions": {"Send": 60, "Bill": 60}})
    assert str(named) == shown.replace("done 30 d", "done 2 min", 1) + "; otherwise: Bill, Send"


def test_none_keeps_everything_for_ever() -> None:
    kept = retention_of(None)
    assert str(kept).count("for ever") == 8
    assert list(rules_of(kept)) == []


def test_a_setting_names_what_differs_from_the_defaults() -> None:
    kept = retention_of({"done": 7 * DAY, "failed": 3_600, "audit": None, "bulk": DAY})
    assert (kept.kept("Any", DONE), kept.kept("Any", FAILED)) == (7 * DAY, timedelta(hours=1))
    assert kept.kept("Any", TickerStatus.CANCELLED) == 90 * DAY
    assert (kept.audit, kept.bulk) == (None, DAY)


def test_a_function_has_times_by_status_or_one_for_all() -> None:
    kept = retention_of({"functions": {"Send": {"failed": None}, "Ping": DAY, "Keep": None}})
    assert (kept.kept("Send", FAILED), kept.kept("Send", DONE)) == (None, 30 * DAY)
    assert {kept.kept("Ping", status) for status in kept.statuses} == {DAY}
    assert {kept.kept("Keep", status) for status in kept.statuses} == {None}


def test_the_shortest_time_is_that_of_any_run() -> None:
    assert Retention().shortest == 30 * DAY
    assert retention_of({"functions": {"Ping": {"failed": DAY}}}).shortest == DAY
    assert retention_of({"done": None, "due_done": None, "skipped": None}).shortest == 90 * DAY
    assert retention_of(None).shortest is None


def test_a_run_is_kept_from_its_end_on_or_from_the_instant_that_was_skipped_before() -> None:
    kept = retention_of({"done": 7 * DAY, "failed": None, "functions": {"Send": DAY}})
    assert kept.kept_until("Any", DONE, NOW) == NOW + 7 * DAY
    assert kept.kept_until("Send", FAILED, NOW) == NOW + DAY
    assert kept.kept_until("Any", FAILED, NOW) is None
    skipped = TickerStatus.SKIPPED
    assert kept.kept_until("Send", skipped, NOW, instant=NOW + 3 * DAY) == NOW + 4 * DAY
    assert kept.kept_until("Send", skipped, NOW, instant=NOW - 3 * DAY) == NOW + DAY


def test_what_is_kept_for_ever_is_not_looked_for() -> None:
    kept = retention_of({"done": None, "functions": {"Ping": {"done": DAY}, "Send": {"failed": None}}})
    rules = {(rule.status, rule.function): rule for rule in rules_of(kept)}
    assert (DONE, None) not in rules
    assert rules[DONE, "Ping"].after == DAY
    assert (FAILED, "Send") not in rules
    everybody_else = rules[FAILED, None]
    assert (everybody_else.covers("Ping"), everybody_else.covers("Send")) == (True, False)


def test_a_run_is_past_its_time_once_more_than_that_has_passed_since_its_end() -> None:
    kept = Retention()
    assert not kept.is_past("Send", DONE, ended_at=NOW - 30 * DAY, now=NOW)
    assert kept.is_past("Send", DONE, ended_at=NOW - 30 * DAY - timedelta.resolution, now=NOW)
    assert not retention_of(None).is_past("Send", DONE, ended_at=NOW - 9_999 * DAY, now=NOW)


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        (7, "retention", "pass a dict of statuses and durations"),
        ({"dome": DAY}, "retention", "no such name: did you mean done?"),
        ({"idle": DAY}, "retention", "no such name"),
        ({3: DAY}, "retention", "no such name"),
        ({"done": "a day"}, "retention['done']", "None keeps for ever"),
        ({"done": 0}, "retention['done']", "None keeps for ever"),
        ({"audit": -1}, "retention['audit']", "None keeps for ever"),
        ({"functions": ["Send"]}, "retention['functions']", "pass a dict of functions"),
        ({"functions": {"": DAY}}, "retention['functions']: a function's name", "non-empty"),
        ({"functions": {"Send": {"audit": DAY}}}, "retention['functions']['Send']", "no such name"),
        ({"functions": {"Send": True}}, "retention['functions']['Send']", "None keeps for ever"),
    ],
)
def test_what_cannot_be_used_is_named(value: object, field: str, reason: str) -> None:
    with pytest.raises(TickerValidationError, match=re.escape(reason)) as refused:
        retention_of(value)
    assert refused.value.field == field
    with pytest.raises(ConfigError, match=re.escape(f"tickerq_{field}: ")):
        TickerConfig(retention=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("setting", [{"auto_prune": 1}, {"prune_archive": ""}, {"prune_archive": 3}])
def test_the_other_settings_of_pruning_are_checked(setting: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"tickerq_{next(iter(setting))}"):
        TickerConfig(**setting)  # type: ignore[arg-type]
