"""Importers: other beats' periodic tasks become tickers of functions, once, and only when asked to."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.schedules import crontab
from click.testing import CliRunner, Result
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.inner import celery_command
from tests.integration.apps import enrol_worker, ticker_app
from tests.integration.apps import execute as execute_messages
from tickerq_celery import TickerQ, TickerStatus

Run = Callable[..., Result]
# As django-celery-beat 2.9's migrations leave them, but for what nothing here reads.
TABLES = """
CREATE TABLE django_celery_beat_intervalschedule (id integer PRIMARY KEY, every integer, period varchar(24));
CREATE TABLE django_celery_beat_crontabschedule (id integer PRIMARY KEY, minute varchar(240),
    hour varchar(96), day_of_week varchar(64), day_of_month varchar(124), month_of_year varchar(64),
    timezone varchar(63));
CREATE TABLE django_celery_beat_solarschedule (id integer PRIMARY KEY, event varchar(24));
CREATE TABLE django_celery_beat_clockedschedule (id integer PRIMARY KEY, clocked_time timestamp);
CREATE TABLE django_celery_beat_periodictask (id integer PRIMARY KEY, name varchar(200), task varchar(200),
    args text, kwargs text, queue varchar(200), exchange varchar(200), routing_key varchar(200), headers text,
    priority integer, expires timestamp, expire_seconds integer, one_off boolean, start_time timestamp,
    enabled boolean, description text, interval_id integer, crontab_id integer, solar_id integer,
    clocked_id integer);
INSERT INTO django_celery_beat_intervalschedule VALUES (1, 2, 'hours'), (2, 500, 'microseconds');
INSERT INTO django_celery_beat_crontabschedule VALUES
    (1, '30', '4', 'mon-fri', '*', '*', 'Europe/Berlin'), (2, 'never', '4', '*', '*', '*', 'UTC');
INSERT INTO django_celery_beat_solarschedule VALUES (1, 'sunset');
INSERT INTO django_celery_beat_clockedschedule VALUES (1, '2099-05-01 12:00:00'), (2, '2020-05-01 12:00:00');
"""
COLUMNS = (
    "id", "name", "task", "args", "kwargs", "queue", "headers", "priority", "expires", "start_time",
    "one_off", "enabled",
    "description", "interval_id", "crontab_id", "solar_id", "clocked_id",
)  # fmt: skip
DEFAULTS: dict[str, Any] = {
    "args": "[]", "kwargs": "{}", "headers": "{}", "description": "", "one_off": False, "enabled": True,
}  # fmt: skip


@pytest.fixture
def tickerq(store_url: str, namespace: str) -> Iterator[TickerQ]:
    with ticker_app(store_url, namespace) as made:
        made.function("refresh")(lambda context: None)
        made.function("MonthEnd")(lambda context: None)
        yield made


@pytest.fixture
def run(tickerq: TickerQ) -> Run:
    """Run one of our commands on the app."""
    return lambda *arguments: CliRunner().invoke(celery_command, arguments, obj=tickerq.app)


@pytest.fixture
def django_url(empty_database_url: str) -> str:
    """A database with django-celery-beat's tables, some schedules, and no task."""
    execute(empty_database_url, *TABLES.split(";\n"))
    return empty_database_url


def execute(url: str, *statements: str, **values: object) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        for statement in filter(str.strip, statements):
            connection.execute(text(statement), values)


def add_task(url: str, **values: object) -> None:
    """Add a periodic task, as Django's admin pages would."""
    row = dict.fromkeys(COLUMNS) | DEFAULTS | values
    parameters = ", ".join(f":{name}" for name in COLUMNS)
    execute(
        url,
        f"INSERT INTO django_celery_beat_periodictask ({', '.join(COLUMNS)}) VALUES ({parameters})",
        **row,
    )


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


@pytest.fixture
def entries(tickerq: TickerQ) -> None:
    tickerq.app.conf.beat_schedule = {
        "hourly": {"task": "shop.refresh", "schedule": 3600, "kwargs": {"all": True}},
        "month": {
            "task": "shop.close",
            "schedule": crontab(minute=0, hour=1, day_of_month=1),
            "args": [12],
            "options": {"queue": "books", "expires": 60},
        },
        "odd": {"task": "shop.refresh", "schedule": 60, "args": [1, 2]},
        "unknown": {"task": "shop.nothing", "schedule": 60},
    }


@pytest.mark.usefixtures("entries")
def test_entries_are_stored_once_and_only_when_applied(tickerq: TickerQ, run: Run) -> None:
    command = ("import-beat", "--function", "shop.close=MonthEnd")
    expected = [
        "new       hourly -> refresh",
        "new       month -> MonthEnd, without expires",
        "left out  odd: its arguments are no single request: give it keyword arguments only",
        "left out  unknown: no ticker function is named shop.nothing or nothing: register one, or pass "
        "--function shop.nothing=NAME",
    ]
    assert lines(run(*command)) == [*expected, "nothing was stored: add --apply"]
    assert not tickerq.cron_tickers.find()
    assert lines(run(*command, "--apply")) == expected
    month, hourly = sorted(tickerq.cron_tickers.find(), key=lambda cron: cron.function)
    assert (hourly.expression, hourly.request, hourly.is_seeded) == ("@every 1h", {"all": True}, False)
    assert (month.expression, month.request, month.queue) == ("0 1 1 * *", 12, "books")
    tickerq.cron_tickers.update(hourly.id, expression="0 * * * *")
    assert lines(run(*command, "--apply"))[:2] == [
        "there     hourly -> refresh",
        "there     month -> MonthEnd, without expires",
    ]
    assert tickerq.cron_tickers.get(hourly.id).expression == "0 * * * *"
    assert len(tickerq.cron_tickers.find()) == 2


def test_the_tables_of_django_celery_beat_become_tickers(tickerq: TickerQ, run: Run, django_url: str) -> None:
    add_task(django_url, id=1, name="a", task="shop.refresh", interval_id=1, kwargs='{"all": true}')
    add_task(
        django_url, id=2, name="b", task="refresh", crontab_id=1, enabled=False, queue="slow", priority=3
    )
    add_task(django_url, id=3, name="c", task="refresh", clocked_id=1, one_off=True, description="Once")
    add_task(django_url, id=4, name="d", task="refresh", clocked_id=2, one_off=True)
    add_task(django_url, id=5, name="e", task="refresh", solar_id=1)
    add_task(django_url, id=6, name="f", task="refresh", interval_id=2)
    add_task(django_url, id=7, name="g", task="refresh", crontab_id=2)
    add_task(django_url, id=8, name="h", task="refresh", interval_id=1, kwargs="[]x")
    add_task(django_url, id=9, name="i", task="refresh", interval_id=1, one_off=True)
    found = lines(run("import-django-celery-beat", django_url, "--apply"))
    assert found[:3] == [
        "new       a -> refresh",
        "new       b -> refresh, without priority",
        "new       c -> refresh",
    ]
    assert [line.split(":")[0] for line in found[3:]] == [f"left out  {name}" for name in "defghi"]
    crons = {cron.description: cron for cron in tickerq.cron_tickers.find()}
    assert (crons["a"].expression, crons["a"].request, crons["a"].is_enabled) == (
        "@every 2h",
        {"all": True},
        True,
    )
    assert (crons["b"].expression, crons["b"].time_zone) == ("30 4 * * 1-5", "Europe/Berlin")
    assert (crons["b"].is_enabled, crons["b"].queue) == (False, "slow")
    [once] = tickerq.time_tickers.find()
    assert (once.execution_time, once.description) == (datetime(2099, 5, 1, 12, tzinfo=UTC), "Once")
    again = lines(run("import-django-celery-beat", django_url, "--apply"))
    assert [line[:9].strip() for line in again[:3]] == ["there"] * 3
    assert len(tickerq.cron_tickers.find()) == 2
    assert len(tickerq.time_tickers.find()) == 1


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_a_clocked_task_is_imported_once_whatever_became_of_its_time_ticker(
    tickerq: TickerQ, run: Run, django_url: str
) -> None:
    names = ["cancelled", "done", "waiting"]
    for number, name in enumerate(names):
        add_task(django_url, id=number, name=name, task="refresh", clocked_id=1, one_off=True)
    command = ("import-django-celery-beat", django_url)
    assert lines(run(*command, "--apply")) == [f"new       {name} -> refresh" for name in names]
    ids = {each.description: each.id for each in tickerq.time_tickers.find()}
    enrol_worker(tickerq)
    # A moment that the database, whose clock counts in milliseconds, has reached for certain.
    tickerq.time_tickers.update(ids["done"], execution_time=datetime.now(UTC) - timedelta(seconds=1))
    execute_messages(tickerq)
    tickerq.time_tickers.cancel(ids["cancelled"])
    assert [tickerq.time_tickers.get(ids[name]).status for name in names] == [
        TickerStatus.CANCELLED,
        TickerStatus.DONE,
        TickerStatus.IDLE,
    ]
    again = [f"there     {name} -> refresh" for name in names]
    assert lines(run(*command)) == [*again, "nothing was stored: add --apply"]
    # Its function may be another one by now.
    tickerq.function("other")(lambda: None)
    other = ("--function", "refresh=other")
    assert lines(run(*command, *other, "--apply")) == [line.replace("> refresh", "> other") for line in again]
    assert len(tickerq.time_tickers.find()) == len(names)
    tickerq.time_tickers.delete(ids["cancelled"])
    assert lines(run(*command, "--apply")) == ["new       cancelled -> refresh", *again[1:]]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_a_database_without_the_tables_and_a_wrong_address_are_refused_in_one_line(
    run: Run, empty_database_url: str
) -> None:
    execute(empty_database_url, "CREATE TABLE other (id integer)")
    missing = run("import-django-celery-beat", empty_database_url)
    assert missing.exit_code == 1
    assert "cannot read django-celery-beat's tables" in missing.output
    wrong = run("import-django-celery-beat", "secret")
    assert wrong.output.strip() == "Error: URL: not a database URL"
    assert run("import-beat", "--function", "shop.close").exit_code == 2


def test_tasks_begin_at_their_start_time_and_end_before_they_expire(
    tickerq: TickerQ, run: Run, django_url: str
) -> None:
    past, soon, later = "2020-05-01 12:00:00", "2099-05-01 12:00:00", "2099-06-01 12:00:00"
    shared = {"task": "refresh", "interval_id": 1}
    clocked = {"task": "refresh", "clocked_id": 1, "one_off": True}
    add_task(django_url, id=1, name="a", start_time=soon, expires=later, **shared)
    add_task(django_url, id=2, name="b", start_time=past, **shared)
    add_task(django_url, id=3, name="c", expires=past, **shared)
    add_task(django_url, id=4, name="d", start_time=later, expires=soon, **shared)
    add_task(django_url, id=5, name="e", start_time=later, **clocked)
    add_task(django_url, id=6, name="f", expires=soon, **clocked)
    found = lines(run("import-django-celery-beat", django_url, "--apply"))
    assert found[:3] == [
        "new       a -> refresh",
        "new       b -> refresh",
        "left out  c: it has expired at 2020-05-01 12:00:00Z",
    ]
    assert found[3].startswith("left out  d: end_at: it is before start_at")
    assert found[4:] == [
        "new       e -> refresh",
        "left out  f: it expires at 2099-05-01 12:00:00Z, before it would run",
    ]
    crons = {cron.description: cron for cron in tickerq.cron_tickers.find()}
    start, end = datetime(2099, 5, 1, 12, tzinfo=UTC), datetime(2099, 6, 1, 12, tzinfo=UTC)
    bounded, plain = crons["a"], crons["b"]
    assert (bounded.start_at, bounded.next_run_at) == (start, start)
    last = tickerq.cron_tickers.upcoming(bounded.id, after=end - timedelta(hours=3), count=5)
    assert list(last) == [end - timedelta(hours=2)]
    assert (plain.end_at, plain.start_at > datetime(2021, 1, 1, tzinfo=UTC)) == (None, True)
    [once] = tickerq.time_tickers.find()
    assert once.execution_time == end


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_names_that_differ_in_their_last_blanks_are_two_imports(
    tickerq: TickerQ, run: Run, django_url: str
) -> None:
    for number, name in enumerate(("blank", "blank ")):
        add_task(django_url, id=number, name=name, task="refresh", interval_id=1)
        add_task(django_url, id=number + 2, name=f"once {name}", task="refresh", clocked_id=1, one_off=True)
    found = lines(run("import-django-celery-beat", django_url, "--apply"))
    assert [line[:9].strip() for line in found] == ["new"] * 4
    assert len(tickerq.cron_tickers.find()) == 2
    assert len(tickerq.time_tickers.find()) == 2


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_a_task_without_a_schedule_is_reported(run: Run, django_url: str) -> None:
    add_task(django_url, id=1, name="none", task="refresh")
    add_task(django_url, id=2, name="sun", task="refresh", solar_id=1)
    assert lines(run("import-django-celery-beat", django_url))[:2] == [
        "left out  none: it has no schedule",
        "left out  sun: a solar schedule cannot be kept as an expression",
    ]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_entries_that_are_none_are_left_out_one_by_one(tickerq: TickerQ, run: Run) -> None:
    fine = {"task": "shop.refresh", "schedule": 60}
    tickerq.app.conf.beat_schedule = {
        "fine": fine,
        "b": {**fine, "kwargs": 5},
        "c": {**fine, "options": [1, 2]},
        "d": {**fine, "options": {1: 2, "queue": "books"}},
        "e": {**fine, "options": {"queue": 5}},
        "f": {**fine, "schedule": float("inf")},
        "g": [1],
        "h": {"schedule": 60},
        "\ud800" * 300: fine,
        1: fine,
    }
    found = lines(run("import-beat", "--apply"))
    left_out = dict(
        line.removeprefix("left out  ").split(": ", 1) for line in found if line.startswith("left")
    )
    assert {name: reason.split(" (")[0] for name, reason in left_out.items() if len(name) == 1} == {
        "1": "name: pass a str",
        "b": "its kwargs are no dict whose keys are str",
        "c": "its options are no dict whose keys are str",
        "d": "its options are no dict whose keys are str",
        "e": "queue: pass a str",
        "f": "not an entry of Celery's",
        "g": "not an entry of Celery's",
        "h": "task: pass a str",
    }
    assert len(left_out) == len(tickerq.app.conf.beat_schedule) - 1
    assert "new       fine -> refresh" in found


URLS = [
    ("mysql://ada:secret@localhost/x", "URL: the driver for mysql is not installed: No module named "),
    ("postgres://ada:secret@127.0.0.1:1/x", "URL: cannot read django-celery-beat's tables: "),
    ("nosuch://localhost/x", "URL: the driver for nosuch is not installed: "),
    ("postgresql+psycopg://localhost:port/x", "URL: not a database URL"),
    ("sqlite:///nope.db", "URL: there is no file nope.db"),
    ("sqlite:///file:nope.db?mode=ro&uri=true", "URL: cannot read django-celery-beat's tables: unable to"),
]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("url", "expected"), URLS)
def test_a_database_that_cannot_be_opened_is_reported_in_one_line_and_not_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run("import-django-celery-beat", url)
    assert refused.exit_code == 1
    assert refused.output.startswith(f"Error: {expected}")
    assert refused.output.count("\n") == 1
    assert "secret" not in refused.output
    assert not (tmp_path / "nope.db").exists()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_a_moment_that_is_none_is_reported_in_one_line(run: Run, django_url: str) -> None:
    add_task(django_url, id=1, name="odd", task="refresh", interval_id=1, start_time="soon")
    refused = run("import-django-celery-beat", django_url)
    assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
    assert "cannot read django-celery-beat's tables: " in refused.output


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_before_the_store_is_migrated_an_import_is_refused_once(
    tickerq: TickerQ, run: Run, django_url: str, tmp_path: Path
) -> None:
    add_task(django_url, id=1, name="a", task="refresh", interval_id=1)
    fresh = TickerQ(Celery(set_as_current=False), store_url=f"sqlite:///{tmp_path / 'fresh.db'}")
    fresh.app.conf.beat_schedule = tickerq.app.conf.beat_schedule
    for arguments in (("import-beat",), ("import-django-celery-beat", django_url)):
        refused = CliRunner().invoke(celery_command, arguments, obj=fresh.app)
        assert refused.exit_code == 1
        assert refused.output.count("\n") == 1
        assert "tickerq migrate" in refused.output
    fresh.app.close()
    fresh.core.database.close()


def test_arguments_are_bound_to_the_plain_parameters_of_a_function(tickerq: TickerQ, run: Run) -> None:
    tickerq.function("remind")(lambda user_id, subject="Hi": None)
    tickerq.app.conf.beat_schedule = {
        "by position": {"task": "shop.remind", "schedule": 60, "args": [3], "kwargs": {"subject": "Yo"}},
        "misfit": {"task": "shop.remind", "schedule": 60, "kwargs": {"user": 3}},
    }
    new, left_out = lines(run("import-beat", "--apply"))
    assert new == "new       by position -> remind"
    assert left_out.startswith("left out  misfit: user: function remind has no such parameter")
    (cron,) = tickerq.cron_tickers.find()
    assert cron.request == {"user_id": 3, "subject": "Yo"}
