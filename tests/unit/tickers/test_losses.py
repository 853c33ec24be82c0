"""When a published message counts as lost: by evidence alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thoroughness import examples
from tickerq_celery.tickers.losses import (
    Checked,
    Evidence,
    Fate,
    Judgement,
    MessageFlow,
    QueueSizes,
    QueueWorker,
    evidence_of,
    judged,
)

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LEASE, CHECK, HOUR = timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=1)
BEFORE = NOW - timedelta(seconds=10)
SEND, CALL = MessageFlow(name="Send", queue=None), MessageFlow(name="shop.add", queue=None, is_call=True)
LONG_IDLE, JUST_IDLE, BUSY = NOW - LEASE, NOW - timedelta(seconds=29), None


def worker(
    idle_since: datetime | None, *queues: str, seen_at: datetime = NOW, takes_runs: bool = True
) -> QueueWorker:
    return QueueWorker(
        queues=queues or ("celery",), idle_since=idle_since, seen_at=seen_at, takes_runs=takes_runs
    )


def found(
    flow: MessageFlow,
    size: int | None,
    *workers: QueueWorker,
    queue: str | None = "celery",
    before: object = ...,
) -> Evidence:
    earlier = size if before is ... else before
    sizes, earlier_sizes = ({} if queue is None else {queue: each} for each in (size, earlier))
    return evidence_of(
        {flow: queue},
        workers,
        sizes=QueueSizes(at=NOW, of=sizes),
        before=QueueSizes(at=BEFORE, of=earlier_sizes),  # type: ignore[arg-type]
        lease=LEASE,
    )


def fate(flow: MessageFlow, evidence: Evidence, *, age: timedelta = LEASE, **fields: bool) -> Judgement:
    message = Checked(flow=flow, published_at=NOW - age, **{"may_be_repeated": True, **fields})
    return judged(message, evidence, now=NOW, check_after=CHECK, longest=HOUR)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (found(SEND, 0), Fate.LOST),
        (found(SEND, 0, worker(JUST_IDLE)), Fate.LOST),
        (found(SEND, 0, worker(BUSY)), Fate.UNKNOWN),
        (found(SEND, 0, worker(BUSY, "mail")), Fate.LOST),
        (found(SEND, 0, worker(BUSY, takes_runs=False)), Fate.UNKNOWN),
        (found(SEND, 3, worker(LONG_IDLE, takes_runs=False)), Fate.WAITS),
        (found(SEND, 3, worker(BUSY)), Fate.WAITS),
        (found(SEND, 3), Fate.WAITS),
        (found(SEND, 3, worker(LONG_IDLE), worker(BUSY)), Fate.LOST),
        (found(SEND, 3, worker(LONG_IDLE, "mail")), Fate.WAITS),
        (found(SEND, None, worker(LONG_IDLE)), Fate.LOST),
        (found(SEND, None), Fate.UNKNOWN),
        (found(SEND, None, worker(LONG_IDLE), queue=None), Fate.UNKNOWN),
        (Evidence(), Fate.UNKNOWN),
    ],
)
def test_a_functions_message_is_lost_if_nobody_has_it_or_somebody_would_have_taken_it(
    evidence: Evidence, expected: Fate
) -> None:
    assert fate(SEND, evidence).fate is expected


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (found(CALL, 0, worker(JUST_IDLE)), Fate.LOST),
        (found(CALL, 0), Fate.ENDS),
        (found(CALL, 0, worker(JUST_IDLE, "mail")), Fate.ENDS),
        (found(CALL, 0, worker(JUST_IDLE), worker(BUSY)), Fate.WAITS),
        (found(CALL, 0, worker(LONG_IDLE), worker(BUSY, "mail")), Fate.ENDS),
        # Its row is older than the size: it may have taken the message since.
        (found(CALL, 0, worker(LONG_IDLE, seen_at=BEFORE)), Fate.ENDS),
        (found(CALL, 0, worker(LONG_IDLE), before=1), Fate.ENDS),
        (found(CALL, 0, worker(LONG_IDLE), before=None), Fate.ENDS),
        (found(CALL, 0, worker(LONG_IDLE, takes_runs=False)), Fate.ENDS),
        (found(CALL, 0, worker(LONG_IDLE), worker(BUSY, takes_runs=False)), Fate.WAITS),
        (found(CALL, 3, worker(LONG_IDLE)), Fate.WAITS),
    ],
)
def test_a_calls_message_is_lost_only_if_it_is_nowhere(evidence: Evidence, expected: Fate) -> None:
    assert fate(CALL, evidence, age=CHECK).fate is expected


def test_what_waits_is_looked_at_again_after_the_longest_time() -> None:
    waits = found(SEND, 3)
    assert fate(SEND, waits, age=HOUR / 2) == Judgement(fate=Fate.WAITS, again_at=NOW + HOUR / 2)
    assert fate(SEND, waits, age=HOUR).fate is Fate.UNKNOWN


def test_a_call_ends_no_sooner_than_its_check_and_never_with_children() -> None:
    early = fate(CALL, Evidence(), age=LEASE)
    assert early == Judgement(fate=Fate.WAITS, again_at=NOW - LEASE + CHECK)
    assert fate(CALL, Evidence(), age=CHECK).fate is Fate.ENDS
    assert fate(CALL, Evidence(), age=HOUR, has_children=True) == Judgement(fate=Fate.WAITS)


def test_a_call_that_may_not_be_repeated_is_never_lost() -> None:
    nowhere = found(CALL, 0, worker(LONG_IDLE))
    assert fate(CALL, nowhere, age=CHECK, may_be_repeated=False).fate is Fate.ENDS


def test_what_was_published_since_the_look_or_never_is_not_known_to_be_lost() -> None:
    assert fate(SEND, found(SEND, 0), age=timedelta(0)).fate is Fate.UNKNOWN
    assert fate(CALL, found(CALL, 0, worker(JUST_IDLE)), age=NOW - BEFORE).fate is not Fate.LOST
    unsent = Checked(flow=SEND, published_at=None, may_be_repeated=True)
    assert judged(unsent, found(SEND, 0), now=NOW, check_after=CHECK, longest=HOUR).fate is Fate.UNKNOWN


@examples(200)
@given(
    where=st.sampled_from(["in its queue", "with a worker", "nowhere"]),
    others=st.lists(st.sampled_from([LONG_IDLE, JUST_IDLE, BUSY]), max_size=3),
    is_stopping=st.booleans(),
    has_moved=st.booleans(),
)
def test_no_call_is_lost_whose_message_is_anywhere(
    where: str, others: list[datetime | None], is_stopping: bool, has_moved: bool
) -> None:
    # What moves from its queue to a worker between two looks is in the queue at the first.
    has_it = where == "with a worker"
    sizes = [
        1 if where == "in its queue" or (has_it and has_moved) else 0,
        1 if where == "in its queue" else 0,
    ]
    holder = [worker(BUSY, takes_runs=not is_stopping)] if has_it else []
    evidence = found(CALL, sizes[1], worker(LONG_IDLE), *map(worker, others), *holder, before=sizes[0])
    if where != "nowhere":
        assert evidence.lost == {}
