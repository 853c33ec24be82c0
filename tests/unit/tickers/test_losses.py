"""When a published message counts as lost: by evidence alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thoroughness import examples
from tickerq_celery.tickers.losses import (
    NO_EVIDENCE,
    Evidence,
    Fate,
    MessageFlow,
    QueueWorker,
    evidence_of,
    fate_of,
)

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LEASE, HOUR = timedelta(seconds=30), timedelta(hours=1)
FLOW = MessageFlow("Send", None)
LONG_IDLE, JUST_IDLE, BUSY = NOW - LEASE, NOW - timedelta(seconds=29), None

queues = st.sampled_from(["celery", "mail", None])
workers = st.builds(
    QueueWorker,
    queues=st.lists(st.sampled_from(["celery", "mail"]), max_size=2),
    idle_since=st.sampled_from([LONG_IDLE, JUST_IDLE, BUSY]),
)


def found(size: int | None, *workers: QueueWorker, queue: str | None = "celery") -> Evidence:
    sizes = {} if queue is None else {queue: size}
    return evidence_of({FLOW: queue}, sizes, workers, now=NOW, lease=LEASE)


def worker(idle_since: datetime | None, *queues: str) -> QueueWorker:
    return QueueWorker(queues=queues or ("celery",), idle_since=idle_since)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (found(0), Fate.LOST),
        (found(0, worker(JUST_IDLE)), Fate.LOST),
        (found(0, worker(BUSY)), Fate.UNKNOWN),
        (found(0, worker(BUSY, "mail")), Fate.LOST),
        (found(0, QueueWorker(queues=(), idle_since=BUSY)), Fate.UNKNOWN),
        (found(3, worker(BUSY)), Fate.WAITS),
        (found(3), Fate.WAITS),
        (found(3, worker(JUST_IDLE)), Fate.WAITS),
        (found(3, worker(LONG_IDLE), worker(BUSY)), Fate.LOST),
        (found(3, worker(LONG_IDLE, "mail")), Fate.WAITS),
        (found(None, worker(LONG_IDLE)), Fate.LOST),
        (found(None), Fate.UNKNOWN),
        (found(None, worker(LONG_IDLE), queue=None), Fate.UNKNOWN),
        (NO_EVIDENCE, Fate.UNKNOWN),
    ],
)
def test_a_message_is_lost_if_nobody_has_it_or_somebody_would_have_taken_it(
    evidence: Evidence, expected: Fate
) -> None:
    assert fate_of(FLOW, NOW - LEASE, evidence, now=NOW, longest=HOUR) is expected


def test_a_call_is_lost_only_if_a_worker_is_known_that_could_have_taken_it() -> None:
    call = MessageFlow("shop.add", None, is_call=True)
    for own, lost in (([], set()), ([worker(JUST_IDLE)], {call}), ([worker(JUST_IDLE, "mail")], set())):
        evidence = evidence_of({call: "celery"}, {"celery": 0}, own, now=NOW, lease=LEASE)
        assert (evidence.lost, evidence.waiting) == (lost, set())


def test_what_waits_is_published_again_after_the_longest_time() -> None:
    waits = found(3)
    assert fate_of(FLOW, NOW - timedelta(minutes=59), waits, now=NOW, longest=HOUR) is Fate.WAITS
    assert fate_of(FLOW, NOW - HOUR, waits, now=NOW, longest=HOUR) is Fate.UNKNOWN


def test_what_was_published_since_the_look_or_never_is_not_known_to_be_lost() -> None:
    assert fate_of(FLOW, NOW, found(0), now=NOW, longest=HOUR) is Fate.UNKNOWN
    assert fate_of(FLOW, None, found(0), now=NOW, longest=HOUR) is Fate.UNKNOWN


@examples(200)
@given(
    st.dictionaries(st.builds(MessageFlow, st.sampled_from("AB"), queues, st.booleans()), queues, max_size=4),
    st.dictionaries(st.sampled_from(["celery", "mail"]), st.sampled_from([None, 0, 2])),
    st.lists(workers, max_size=4),
)
def test_nothing_is_lost_whose_queue_is_unknown_or_whose_workers_may_have_it(
    queues: dict[MessageFlow, str | None], sizes: dict[str, int | None], workers: list[QueueWorker]
) -> None:
    evidence = evidence_of(queues, sizes, workers, now=NOW, lease=LEASE)
    assert not evidence.lost & evidence.waiting
    for flow in evidence.lost:
        queue = queues[flow]
        assert queue is not None
        own = [each.idle_since for each in workers if each.consumes(queue)]
        assert own or not flow.is_call
        assert LONG_IDLE in own or (sizes[queue] == 0 and BUSY not in own)
