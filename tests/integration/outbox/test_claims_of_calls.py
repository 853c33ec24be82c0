"""What a block has stored is claimed by one statement, unless something holds it or another has it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from tests.integration.apps import messages
from tests.tables import tickers
from tickerq_celery import TickerQ, TickerStatus, TimeTicker
from tickerq_celery.enums import HoldReason

SECOND = timedelta(seconds=1)


def sent(tickerq: TickerQ) -> list[str]:
    return [message.headers["id"] for message in messages(tickerq)]


def statuses(tickerq: TickerQ) -> list[tuple[TickerStatus, HoldReason | None]]:
    return [(run.status, run.held_for) for run in tickerq.runs.find(function="shop.add")]


def statements_of(*engines: Engine) -> list[str]:
    """Return the list to which what these engines send is added from now on."""
    seen: list[str] = []
    for engine in engines:
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2].strip()))
    return seen


@pytest.mark.parametrize(("count", "queues"), [(1, 1), (3, 1), (4, 2)])
def test_calls_of_a_queue_are_claimed_by_one_statement(
    shop: TickerQ, add: Any, engine: Engine, count: int, queues: int
) -> None:
    with Session(engine) as session, shop.outbox(session):
        add.delay(0)
        session.commit()
        for number in range(count):
            others = {"queue": f"{shop.core.config.namespace}-other"} if number % queues else {}
            add.apply_async((number,), **others)
        database = shop.core.database
        seen = statements_of(*{database.engine, database.autocommitting_engine})
        session.commit()
    assert [status for status, _ in statuses(shop)] == [TickerStatus.DONE] * (count + 1)
    claims = [each for each in seen if "SET is_late" in each]
    assert len(claims) == queues
    # Nothing is read before them.
    assert [each for each in seen[: seen.index(claims[-1])] if each.startswith(("SELECT", "WITH"))] == []


@pytest.mark.parametrize("store_url", ["postgres", "mariadb"], indirect=True)
def test_the_claim_of_one_call_commits_itself_and_that_of_two_can_be_undone(
    shop: TickerQ, add: Any, engine: Engine
) -> None:
    alone = statements_of(shop.core.database.autocommitting_engine)
    in_transactions = statements_of(shop.core.database.engine)
    with Session(engine) as session, shop.outbox(session):
        for count in (1, 2):
            for number in range(count):
                add.delay(number)
            session.commit()
            claims = [sum("SET is_late" in each for each in seen) for seen in (alone, in_transactions)]
            assert claims == ([1, 0] if count == 1 else [1, 1])


def test_a_pause_holds_a_call(shop: TickerQ, add: Any, engine: Engine) -> None:
    shop.pauses.pause(everything=True)
    with Session(engine) as session, shop.outbox(session):
        add.delay(1)
        session.commit()
    assert (sent(shop), statuses(shop)) == ([], [(TickerStatus.IDLE, HoldReason.PAUSED)])


def test_a_call_waits_while_its_queue_is_full(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as session, shop.outbox(session):
        add.delay(0)
        session.commit()
        # As many as there may be of functions' runs.
        shop.time_tickers.add(TimeTicker("Waits"), session=session, allow_unknown=True)
        session.execute(
            update(tickers)
            .where(tickers.c.function == "Waits")
            .values(
                queue=shop.runs.find(function="shop.add")[0].queue,
                status=TickerStatus.QUEUED,
                due_at=None,
                check_at=tickers.c.created_at,
            )
        )
        object.__setattr__(shop._process.get().core.config, "max_queued", 1)
        add.delay(1)
        session.commit()
    assert len(sent(shop)) == 1
    assert (TickerStatus.IDLE, HoldReason.LIMIT) in statuses(shop)


def test_calls_of_two_queues_are_published(shop: TickerQ, add: Any, engine: Engine) -> None:
    with Session(engine) as session, shop.outbox(session):
        first = add.apply_async((1,))
        add.apply_async((2,), queue=f"{shop.core.config.namespace}-other")
        session.commit()
    assert sent(shop) == [first.id]
    assert [status for status, _ in statuses(shop)] == [TickerStatus.DONE] * 2


def test_what_a_beat_has_claimed_before_is_not_published_again(
    shop: TickerQ, add: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    immediate = shop._process.get().immediate
    dispatch, late = immediate.dispatch_calls, []
    monkeypatch.setattr(shop._process.get().managers._storing, "_dispatch_calls", late.extend)
    with Session(engine) as session, shop.outbox(session):
        results = [add.delay(number) for number in range(2)]
        session.commit()
    immediate.dispatch([late[0].id])
    dispatch(late)
    assert sorted(sent(shop)) == sorted(result.id for result in results)


@pytest.mark.parametrize("is_edited", [False, True], ids=["claimed", "edited"])
def test_a_call_that_was_claimed_or_edited_meanwhile_is_claimed_as_it_is_now(
    shop: TickerQ, add: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, *, is_edited: bool
) -> None:
    immediate = shop._process.get().immediate
    dispatch, late = immediate.dispatch_calls, []
    monkeypatch.setattr(shop._process.get().managers._storing, "_dispatch_calls", late.extend)
    with Session(engine) as session, shop.outbox(session):
        add.delay(1)
        add.delay(2)
        session.commit()
        first, second = late
        other = select(tickers.c.request).where(tickers.c.id == second.id)
        edited = {"request": session.scalar(other), "updated_at": shop.core.clock.now() + SECOND}
        session.execute(
            update(tickers).where(tickers.c.id == first.id).values(edited if is_edited else {"claim_no": 3})
        )
        session.commit()
    dispatch([first])
    [message] = messages(shop)
    assert (message.headers["tickerq_call"][1], message.payload[0]) == ((1, [2]) if is_edited else (4, [1]))
