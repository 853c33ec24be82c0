"""Which verbs have an entry in the audit, and what it shows."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.inner import Core, new_id
from tests.integration.making import ON_SERVERS, crons, make_cron, make_run, statements_of, time_tickers
from tests.manual_clock import START, ManualClock
from tickerq_celery import CronTicker, Run, TickerQ, TimeTicker
from tickerq_celery.errors import TickerNotFoundError, TickerStateError, TickerValidationError
from tickerq_celery.views import Actor, AuditEntry

ANA = Actor("ana", address="10.0.0.7")
IN_AN_HOUR = timedelta(hours=1)
SECRET = "the-content-of-a-request"


def entries(tickerq: TickerQ) -> list[AuditEntry]:
    """Return all of the audit, the oldest first."""
    return list(tickerq.audit.iterate())[::-1]


def last(tickerq: TickerQ) -> AuditEntry:
    return tickerq.audit.find(limit=1)[0]


def waiting(tickerq: TickerQ) -> Run:
    return tickerq.time_tickers.add(TimeTicker("Send", request=SECRET, delay=IN_AN_HOUR))


def daily(**fields: object) -> CronTicker:
    return CronTicker("Send", **{"expression": "0 9 * * *", "request": SECRET, **fields})


def test_an_edit_shows_old_and_new_and_no_request(tickerq: TickerQ) -> None:
    run = waiting(tickerq)
    acting = tickerq.acting_as(ANA)
    acting.time_tickers.update(run.id, description="first", retries=2, request=f"{SECRET} two", reason="why")
    found = last(tickerq)
    assert (found.action, found.reason) == ("time_tickers.update", "why")
    assert found.before == {"description": None, "retries": 0, "request": "…"}
    assert found.after == {"description": "first", "retries": 2, "request": "changed"}


def test_an_edit_of_several_shows_each(tickerq: TickerQ) -> None:
    ids = [tickerq.cron_tickers.add(daily()).id for _ in range(2)]
    tickerq.acting_as(ANA).cron_tickers.update_batch({each: {"retries": 3} for each in ids})
    found = last(tickerq)
    assert (found.object_id, set(found.ids), found.count) == (None, set(ids), 2)
    assert found.after == {str(each): {"retries": 3} for each in ids}


def test_what_is_deleted_is_said(tickerq: TickerQ) -> None:
    run, cron = waiting(tickerq), tickerq.cron_tickers.add(daily(description="the digest"))
    acting = tickerq.acting_as(ANA)
    acting.time_tickers.delete(run.id)
    of_run = last(tickerq)
    acting.cron_tickers.delete(cron.id, reason="gone")
    of_cron = last(tickerq)
    assert (of_run.action, of_run.before["status"], of_run.count) == ("time_tickers.delete", "Idle", 1)
    assert (of_cron.before["description"], of_cron.reason) == ("the digest", "gone")
    assert (of_cron.ids, of_cron.after) == ((cron.id,), None)


def test_pauses_of_more_than_one_name_what_they_are_of(tickerq: TickerQ, clock: ManualClock) -> None:
    acting = tickerq.acting_as(ANA)
    pause = acting.pauses.pause(function="Send", reason="deploy")
    acting.pauses.pause(function="Send", reason="again")
    clock.advance(minutes=1)
    acting.pauses.resume(function="Send", expected=pause)
    found = list(tickerq.audit.find(object_kind="function", object_id="Send"))[::-1]
    assert [(each.action, each.outcome) for each in found] == [
        ("pauses.pause", "done"),
        ("pauses.pause", "unchanged"),
        ("pauses.resume", "done"),
    ]
    assert pause.paused_by == "ana"
    assert found[0].after["reason"] == found[2].before["reason"] == "deploy"


def test_a_run_that_is_refused_to_run_now_is_said_to_be_by_the_error_and_the_audit(tickerq: TickerQ) -> None:
    ended = waiting(tickerq)
    tickerq.runs.cancel(ended.id)
    with pytest.raises(TickerStateError, match="is Cancelled: it cannot be run now") as caught:
        tickerq.acting_as(ANA).time_tickers.run_now(ended.id)
    assert last(tickerq).error == str(caught.value)
    assert caught.value.current == tickerq.time_tickers.get(ended.id)


def test_what_an_actor_adds_has_its_name(tickerq: TickerQ) -> None:
    acting = tickerq.acting_as(ANA)
    run = acting.time_tickers.add(TimeTicker("Send", delay=IN_AN_HOUR, request=SECRET))
    cron = acting.cron_tickers.add(daily())
    manual = acting.cron_tickers.run_now(cron.id)
    copy = acting.time_tickers.clone(run.id)
    assert {tickerq.runs.get(each.id).created_by for each in (run, manual, copy)} == {"ana"}
    assert [(each.action, each.object_id, each.ids) for each in entries(tickerq)] == [
        ("time_tickers.add", str(run.id), (run.id,)),
        ("cron_tickers.add", str(cron.id), (cron.id,)),
        ("cron_tickers.run_now", str(cron.id), (manual.id,)),
        ("time_tickers.clone", str(run.id), (copy.id,)),
    ]


def test_an_entry_commits_with_the_callers_transaction(tickerq: TickerQ, engine: Engine) -> None:
    run = waiting(tickerq)
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    with Session(engine) as session:
        acting.time_tickers.update(run.id, retries=1, session=session)
        session.rollback()
    assert (entries(tickerq), tickerq.runs.get(run.id).retries) == ([], 0)
    with Session(engine) as session:
        acting.time_tickers.update(run.id, retries=1, session=session)
        acting.time_tickers.update(run.id, retries=1, session=session)
        session.commit()
    assert ([each.count for each in entries(tickerq)], tickerq.runs.get(run.id).retries) == ([1], 1)


def test_a_refusal_leaves_the_callers_transaction_as_it_was(tickerq: TickerQ, engine: Engine) -> None:
    run, ended = waiting(tickerq), waiting(tickerq)
    tickerq.runs.cancel(ended.id)
    acting = tickerq.acting_as(Actor("ana", operation_id=new_id()))
    with Session(engine) as session:
        with pytest.raises(TickerStateError):
            acting.time_tickers.update(ended.id, retries=1, session=session)
        tickerq.acting_as(ANA).time_tickers.update(run.id, retries=1, session=session)
        session.commit()
    assert tickerq.runs.get(run.id).retries == 1
    # The refused one has not used up its id, nor left what it had begun.
    assert sorted(each.outcome for each in entries(tickerq))[1:] == ["done", "refused"]


@pytest.mark.parametrize("store_url", ON_SERVERS, indirect=True)
@pytest.mark.timeout(60)
def test_a_refusal_in_a_callers_transaction_keeps_no_other_one_waiting(
    tickerq: TickerQ, engine: Engine
) -> None:
    acting = tickerq.acting_as(ANA)

    def refused(session: Session | None = None) -> None:
        with pytest.raises(TickerNotFoundError):
            acting.time_tickers.update(new_id(), session=session, retries=1)

    with ThreadPoolExecutor(1) as pool, Session(engine) as session:
        refused(session)
        pool.submit(refused).result(10)
        refused(session)
        session.commit()
    assert sorted(each.count for each in entries(tickerq)) == [1, 1, 1]


@pytest.mark.parametrize(
    ("ticker", "said"),
    [
        (TimeTicker("Count", request={SECRET: SECRET}), "request"),
        (TimeTicker("Send", children=[{"function": "Send", "request": SECRET}]), "children[0]"),
        (TimeTicker("Send", children={"request": SECRET}), "children"),
        (TimeTicker("Send", children=[TimeTicker("Count", request={SECRET: SECRET})]), "children[0].request"),
        (TimeTicker({"password": SECRET}), "function"),
        (TimeTicker("Send", tags=[{"password": SECRET}]), "tags[0]"),
    ],
)
def test_a_refusal_names_the_field_and_shows_no_value(
    tickerq: TickerQ, ticker: TimeTicker, said: str
) -> None:
    tickerq.function("Count")(counted)
    with pytest.raises(TickerValidationError):
        tickerq.acting_as(ANA).time_tickers.add(ticker)
    error = last(tickerq).error
    assert error is not None
    assert error.startswith(f"{said}: ")
    assert SECRET not in error


def counted(request: dict[str, int]) -> None:
    pass


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_adding_and_running_now_take_as_many_statements_as_before_there_was_an_audit(core: Core) -> None:
    cron, run = make_cron(core), make_run(core, delay=IN_AN_HOUR)
    ticker = TimeTicker("Send", delay=IN_AN_HOUR)
    assert len(statements_of(core, lambda: time_tickers(core).add(ticker))) == 2
    assert len(statements_of(core, lambda: crons(core).add(daily()))) == 3
    assert len(statements_of(core, lambda: crons(core).run_now(cron))) == 6
    # Besides the three that have read it, on a connection for reads.
    assert len(statements_of(core, lambda: time_tickers(core).run_now(run))) == 6


def test_hosts_record_their_own_actions_and_refusals_are_bounded(
    tickerq: TickerQ, clock: ManualClock
) -> None:
    for number in range(5):
        stranger = tickerq.acting_as(Actor(f"user{number}", address="10.0.0.9"))
        stranger.audit.record("dashboard.log_in", "refused", error="wrong password")
    tickerq.acting_as(ANA).audit.record("dashboard.log_in")
    found = tickerq.audit.find(action="dashboard.log_in")
    assert sorted((each.outcome, each.count, each.object_kind) for each in found) == [
        ("done", 1, "host"),
        ("refused", 5, "host"),
    ]


def test_the_audit_is_found_by_what_it_says(tickerq: TickerQ, clock: ManualClock) -> None:
    runs = [waiting(tickerq) for _ in range(3)]
    for run, name in zip(runs, ("ana", "ben", "ana"), strict=True):
        clock.advance(minutes=1)
        tickerq.acting_as(Actor(name)).runs.cancel(run.id)

    def found(**filters: object) -> list[str]:
        return [str(each.object_id) for each in tickerq.audit.find(**filters)]

    ids = [str(run.id) for run in runs]
    assert found(actor="ana") == [ids[2], ids[0]]
    assert found(object_kind="run", object_id=ids[1]) == [ids[1]]
    assert found(object_kind="run", object_id=UUID(ids[1])) == [ids[1]]
    assert found(actor="ana", object_kind="run", object_id=ids[1]) == []
    assert found(action="runs.cancel", outcome="done", since=START + timedelta(minutes=2)) == ids[:0:-1]
    assert found(until=START + timedelta(minutes=2)) == ids[:1]
    assert found(action="runs.retry") == []


def test_pages_of_the_audit_go_on_where_the_one_before_ended(tickerq: TickerQ) -> None:
    for _ in range(5):
        tickerq.runs.cancel(waiting(tickerq).id)
    page = tickerq.audit.find(limit=2, action="runs.cancel")
    following = tickerq.audit.find(limit=2, action="runs.cancel", cursor=page.next_cursor)
    walked = list(tickerq.audit.iterate(page_size=2))
    assert [*page, *following] == walked[:4]
    assert len(walked) == 5


@pytest.mark.parametrize(
    "at", ["", "2026-01-01T00:00:00", "9999-12-31T23:59:59-20:00", "0001-01-01T00:00:00+20:00"]
)
def test_what_is_no_cursor_of_the_audit_is_refused(tickerq: TickerQ, at: str) -> None:
    with pytest.raises(TickerValidationError, match="cursor: pass the next_cursor"):
        tickerq.audit.find(cursor=f"{at}|{new_id()}")


def test_a_look_through_many_entries_ends_early_with_a_cursor(
    tickerq: TickerQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickerq_celery.store.records.audit._MOST_READ", 3)
    first = waiting(tickerq)
    tickerq.pauses.pause(tag="red")
    for _ in range(4):
        tickerq.runs.cancel(waiting(tickerq).id)
    page = tickerq.audit.find(action="pauses.pause")
    assert (len(page), page.next_cursor is None) == (0, False)
    assert [each.object_id for each in tickerq.audit.iterate(action="pauses.pause")] == ["red"]
    assert first.status.name == "IDLE"
