"""The commands behind forms and API: JSON in, one call of the core out, with the core's own bounds."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from tests.dashboard.seeds import NOW, Seeds
from tickerq_celery.errors import TickerChangedError
from tickerq_dashboard.commands.crons import CronEdit, NewCron
from tickerq_dashboard.commands.time_tickers import NewTimeTicker, TimeTickerCopy, TimeTickerEdit


@pytest.fixture(autouse=True)
def _functions(seeds: Seeds) -> None:
    seeds.tickerq.function("clean_up")(lambda context: None)


def test_json_schedules_a_run_with_its_chain(seeds: Seeds) -> None:
    body = {
        "function": "clean_up",
        "execution_time": "2098-12-01T09:30:00Z",
        "retry_intervals": [30, "PT1M"],
        "children": [{"function": "clean_up", "run_condition": "on_failure", "delay": 86400}],
    }
    run = NewTimeTicker.model_validate_json(json.dumps(body)).apply(seeds.tickerq)
    assert run.execution_time == datetime(2098, 12, 1, 9, 30, tzinfo=UTC)
    assert run.retry_intervals == (timedelta(seconds=30), timedelta(minutes=1))
    [child] = seeds.tickerq.time_tickers.find(parent_id=run.id)
    assert child.execution_time == child.created_at + timedelta(days=1)


def test_json_changes_only_what_it_says_of_what_was_seen(seeds: Seeds) -> None:
    cron = NewCron.model_validate_json(
        '{"function": "clean_up", "expression": "0 9 * * *", "overlap": "skip", "max_runs": 4}'
    ).apply(seeds.tickerq)
    body = json.dumps({"expected": cron.version, "reason": "later", "expression": "0 10 * * *"})
    changed = CronEdit.model_validate_json(body).apply(seeds.tickerq, cron.id)
    assert (changed.expression, changed.overlap, changed.max_runs) == ("0 10 * * *", cron.overlap, 4)
    with pytest.raises(TickerChangedError):
        CronEdit.model_validate_json(body.replace("10", "11")).apply(seeds.tickerq, cron.id)


def test_json_copies_and_changes_a_run(seeds: Seeds) -> None:
    run_id = seeds.run(
        function="clean_up", execution_time=NOW.replace(year=2099), due_at=NOW.replace(year=2099)
    )
    copy = TimeTickerCopy.model_validate_json('{"tags": ["again"]}').apply(seeds.tickerq, run_id)
    assert (copy.cloned_from, copy.tags) == (run_id, ("again",))
    changed = TimeTickerEdit.model_validate_json('{"delay": 3600, "tags": []}').apply(seeds.tickerq, run_id)
    assert changed.execution_time is not None
    assert changed.execution_time.year < 2099


@pytest.mark.parametrize(
    "body",
    [
        {"function": "clean_up", "colour": "red"},
        {"function": "clean_up", "children": [{"function": "x", "namespace": "other"}]},
        {"function": "clean_up", "execution_time": "2098-12-01T09:30:00"},
        {"function": "clean_up", "retries": -1},
    ],
)
def test_json_that_says_more_or_other_than_a_command_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NewTimeTicker.model_validate(body)


def test_a_command_knows_whether_it_brings_a_payload() -> None:
    assert not CronEdit(expression="0 9 * * *").has_payload
    assert CronEdit(request=None).has_payload
    assert NewTimeTicker.model_validate(
        {"function": "a", "children": [{"function": "b", "args": [1]}]}
    ).has_payload
