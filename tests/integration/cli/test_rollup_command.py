"""The command ``rollup`` counts hours anew, in the name of who runs it."""

import json
from datetime import datetime, timedelta

from tests.integration.stats.rolling import ended, roll_all, write
from tickerq_celery import TickerQ
from tickerq_celery.tickers.tallies import hour_of


def two_hours_ago(tickerq: TickerQ) -> datetime:
    return hour_of(tickerq.core.read(lambda tx: tx.now) - timedelta(hours=2))


def test_hours_are_counted_anew_in_the_name_of_who_asks(run, migrated, app) -> None:
    tickerq = app()
    hour = two_hours_ago(tickerq)
    roll_all(tickerq.core)
    write(tickerq.core, ended(tickerq.core, hour))
    shown = run("rollup", "--since", hour.isoformat(), "--as", "ann", "--reason", "late").output
    assert f"{hour:%Y-%m-%d %H:%M:%S}Z  ends: 1, before: 0" in shown
    assert "ends counted anew: 1; 1 of " in shown
    (entry,) = tickerq.audit.find(action="stats.rebuild")
    assert (entry.actor, entry.reason) == ("ann", "late")
    again = json.loads(run("rollup", "--since", hour.isoformat(), "--json").output)
    assert (again["ends"], again["changed"]) == (1, [])


def test_hours_that_cannot_be_counted_are_refused(run, migrated) -> None:
    failed = run("rollup", "--since", "2h")
    assert failed.exit_code == 1
    assert "no end is counted yet: a beat has to run first" in failed.output
