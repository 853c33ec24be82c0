"""Several cron tickers are paused and resumed at once, and what is skipped says why."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from tests.inner import new_id
from tests.manual_clock import ManualClock
from tests.tables import cron_tickers
from tickerq_celery import CronTicker, TickerQ
from tickerq_celery.errors import TickerChangedError
from tickerq_celery.views import Actor, AuditEntry, CronBatch


def daily(tickerq: TickerQ, **fields: object) -> UUID:
    return tickerq.cron_tickers.add(CronTicker("Send", expression="0 9 * * *", **fields)).id


def reasons(batch: CronBatch) -> dict[UUID, str]:
    return {each.id: each.reason for each in batch.skipped}


def entry(tickerq: TickerQ) -> AuditEntry:
    return tickerq.audit.find(limit=1)[0]


def test_cron_tickers_are_paused_and_what_is_paused_or_gone_is_skipped(tickerq: TickerQ) -> None:
    one, two, paused, gone = daily(tickerq), daily(tickerq), daily(tickerq), uuid4()
    tickerq.cron_tickers.pause(paused, by="ben", reason="bank holiday")
    ana = tickerq.acting_as(Actor("ana"))
    batch = ana.cron_tickers.pause_batch([two, paused, gone, one, two], reason="a move")
    assert [(each.id, each.is_enabled) for each in batch.changed] == [(two, False), (one, False)]
    assert {(each.paused_by, each.paused_reason) for each in batch.changed} == {("ana", "a move")}
    assert reasons(batch) == {
        paused: "it is paused already by ben: bank holiday",
        gone: "it is not there",
    }
    assert tickerq.cron_tickers.get(paused).paused_by == "ben"
    assert not tickerq.cron_tickers.get(one).is_enabled
    found = entry(tickerq)
    assert (found.action, found.count, found.reason) == ("cron_tickers.pause_batch", 2, "a move")
    assert set(found.ids) == {one, two}
    assert set(found.before) == {str(one), str(two)}
    assert found.after[str(one)]["paused_reason"] == "a move"
    assert found.after[str(gone)] == {"skipped": "it is not there"}


def test_cron_tickers_are_resumed_from_their_next_instants_on(tickerq: TickerQ, clock: ManualClock) -> None:
    one, enabled, last = (daily(tickerq) for _ in range(3))
    tickerq.cron_tickers.pause_batch([one, last])
    clock.advance(days=3)
    batch = tickerq.cron_tickers.resume_batch([last, enabled, one], by="ben")
    assert [each.id for each in batch.changed] == [last, one]
    assert {each.next_run_at > clock.now() for each in batch.changed if each.next_run_at} == {True}
    assert {each.resumed_by for each in batch.changed} == {"ben"}
    assert reasons(batch) == {enabled: "it is not paused"}
    # What passed in the pause has one record of each.
    assert len(tickerq.runs.find()) == 2


def test_one_that_this_machine_cannot_read_keeps_no_other_from_going_on(tickerq: TickerQ) -> None:
    one, other = daily(tickerq), daily(tickerq)
    tickerq.cron_tickers.pause_batch([one, other])
    elsewhere = update(cron_tickers).where(cron_tickers.c.id == other).values(time_zone="Mars/Olympus")
    tickerq.core.write(lambda tx: tx.execute(elsewhere))
    batch = tickerq.cron_tickers.resume_batch([one, other])
    assert [each.id for each in batch.changed] == [one]
    assert reasons(batch)[other].startswith("time_zone: ")


def test_where_one_has_changed_since_it_was_seen_none_is_paused(tickerq: TickerQ, clock: ManualClock) -> None:
    seen = [tickerq.cron_tickers.get(daily(tickerq)) for _ in range(3)]
    clock.advance(seconds=1)
    tickerq.cron_tickers.update(seen[1].id, retries=2)
    with pytest.raises(TickerChangedError) as caught:
        tickerq.cron_tickers.pause_batch([each.id for each in seen], expected=seen)
    assert caught.value.current == tickerq.cron_tickers.get(seen[1].id)
    assert {tickerq.cron_tickers.get(each.id).is_enabled for each in seen} == {True}


def test_a_batch_is_done_once_and_returns_what_it_skipped_again(tickerq: TickerQ) -> None:
    one, paused = daily(tickerq), daily(tickerq)
    tickerq.cron_tickers.pause(paused, by="ben")
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    first = acting.cron_tickers.pause_batch([one, paused])
    tickerq.cron_tickers.resume(one)
    again = acting.cron_tickers.pause_batch([one, paused])
    assert again.skipped == first.skipped
    assert [(each.id, each.is_enabled) for each in again.changed] == [(one, True)]


def test_a_batch_that_changes_nothing_says_so(tickerq: TickerQ) -> None:
    one = daily(tickerq)
    batch = tickerq.cron_tickers.resume_batch([one])
    assert (batch.changed, len(batch.skipped)) == ((), 1)
    assert entry(tickerq).outcome == "unchanged"
    assert tickerq.cron_tickers.pause_batch([]) == CronBatch(changed=(), skipped=())


def test_cron_tickers_run_now_once_each_also_those_that_are_paused(tickerq: TickerQ) -> None:
    one, two, gone = daily(tickerq), daily(tickerq), uuid4()
    tickerq.cron_tickers.pause(one)
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    made = [acting.cron_tickers.run_now_batch([two, gone, one]) for _ in range(2)]
    assert [each.cron_ticker_id for each in made[0]] == [two, one]
    assert {each.created_by for each in made[0]} == {"ana"}
    assert [each.id for each in made[0]] == [each.id for each in made[1]]
    assert len(tickerq.runs.find()) == 2
    found = entry(tickerq)
    assert (found.action, found.ids) == ("cron_tickers.run_now_batch", (two, one))
    assert found.after == {str(each.cron_ticker_id): {"run": str(each.id)} for each in made[0]}
    assert tickerq.cron_tickers.run_now_batch([gone]) == []


def test_several_are_read_in_the_order_of_their_ids_without_those_that_are_gone(tickerq: TickerQ) -> None:
    one, two = daily(tickerq), daily(tickerq)
    found = tickerq.cron_tickers.get_batch([two, uuid4(), one, two])
    assert found == [tickerq.cron_tickers.get(two), tickerq.cron_tickers.get(one)]
