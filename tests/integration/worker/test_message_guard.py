"""What comes in to a worker: garbage is dropped, said once and counted, whichever part of Celery meets it."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from celery import Celery, signals
from celery.exceptions import Ignore, Reject, Retry
from kombu.exceptions import OperationalError
from kombu.message import Message
from kombu.utils.json import dumps

from tests.inner import DropReason
from tickerq_celery.views import TickerConfig
from tickerq_celery.worker.message_guard import MessageGuard
from tickerq_celery.worker.misrouted import MisroutedLog
from tickerq_celery.worker.request import Dropped, TickerRequest
from tickerq_celery.worker.signals import SignalListener

ID = "01a2103e-3d01-7221-9bcd-0423ee3e6d78"


@pytest.fixture
def listener() -> Iterator[SignalListener]:
    listener = SignalListener(Celery(set_as_current=False), MisroutedLog("mine"))
    listener.listen()
    yield listener
    listener.close()


def request_of(body: object, *, of_task: float | None = None, **headers: object) -> TickerRequest:
    """Return a request as a worker's main process has it; ``of_task`` is the time limit of its task."""
    message = Message(
        body=dumps(body), content_type="application/json", content_encoding="utf-8",
        headers={"task": "tickerq.Send", "id": "x:1", **headers},
        channel=SimpleNamespace(no_ack_consumers=None),
    )  # fmt: skip
    core = SimpleNamespace(config=TickerConfig())
    process = SimpleNamespace(get=lambda: SimpleNamespace(core=core, killed_for_time={}))
    task = SimpleNamespace(
        acks_late=False, ignore_result=True, send_events=False, time_limit=of_task, process=process
    )
    return TickerRequest(message, task=task, app=SimpleNamespace())


def einfo(error: Exception) -> ExceptionInfo:
    try:
        raise error
    except type(error):
        return ExceptionInfo(internal=True)


@pytest.mark.parametrize(
    ("of_message", "of_task", "seconds"),
    [([None, None], None, None), ([None, None], 5, 65), ([40, None], 5, 70), ([40, None], None, 70)],
)
def test_celerys_timer_leaves_a_lease_for_the_start_and_one_for_the_end(
    of_message: list[float | None], of_task: float | None, seconds: float | None
) -> None:
    request = request_of([[], {}, None], of_task=of_task, timelimit=of_message)
    assert request.time_limits == (seconds, seconds)


@pytest.mark.parametrize("journey", [lambda info: info, lambda info: pickle.loads(pickle.dumps(info))])
@pytest.mark.parametrize("reason", DropReason)
def test_the_main_process_counts_why_its_pool_dropped_a_message(
    listener: SignalListener, journey: Callable[[ExceptionInfo], ExceptionInfo], reason: DropReason
) -> None:
    request_of([[], {}, {}]).on_failure(journey(einfo(Dropped(reason))), return_ok=True)
    assert listener.drops.take() == {reason: 1}


@pytest.mark.parametrize("error", [Ignore(), Reject("x", requeue=True), Retry(exc=OSError())])
def test_a_message_that_came_to_another_end_is_not_counted(
    listener: SignalListener, error: Exception
) -> None:
    request_of([[], {}, {}]).on_failure(einfo(error), return_ok=True)
    assert listener.drops.take() == {}


class Consumer:
    """As much of Celery's consumer as an intake touches, with what it received."""

    connection_errors = (OperationalError, KeyError)
    channel_errors = ()

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.strategies = {"tickerq.Send": None, "their.task": None}
        self.handled: list[Message] = []
        self.calls: list[str] = []
        # What kombu has for the task queues.
        self.task_consumer = SimpleNamespace(on_decode_error=self.on_decode_error)

    def create_task_handler(self) -> Callable[[Message], None]:
        def handle(message: Message) -> None:
            self.handled.append(message)
            if self.error is not None:
                raise self.error

        return handle

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        self.calls.append("decode error")

    def on_unknown_task(self, body: object, message: Message, exc: Exception) -> None:
        self.calls.append("unknown task")


class Channel:
    """Keeps what became of its messages."""

    no_ack_consumers = None

    def __init__(self) -> None:
        self.rejected: list[bool] = []

    def basic_reject(self, tag: object, requeue: bool) -> None:
        self.rejected.append(requeue)

    def basic_ack(self, tag: object, multiple: bool) -> None:
        pass


class Desk:
    """An intake before a consumer, and the messages that come in."""

    def __init__(self, error: Exception | None = None) -> None:
        self.consumer: Any = Consumer(error)
        self.channel = Channel()
        self.noted: list[DropReason] = []
        MessageGuard(self.consumer, self.noted.append).attach()
        self.receive = self.consumer.create_task_handler()

    def message(self, headers: Mapping[str, object], body: object = ([], {}, {}), **fields: Any) -> Message:
        described = {"content_type": "application/json", "content_encoding": "utf-8", **fields}
        encoded = body if isinstance(body, str | bytes) else dumps(body)
        message = Message(body=encoded, headers=dict(headers), channel=self.channel, **described)
        message.accept = {"application/json"}
        return message


OURS = {"task": "tickerq.Send", "id": f"{ID}:1", "ticker": [ID, 1]}
THEIRS = {"task": "their.task", "id": "x"}
UNKNOWN_OF_THEIRS = {"task": "their.other_task", "id": "x"}


@pytest.mark.parametrize("headers", [OURS, THEIRS, UNKNOWN_OF_THEIRS])
def test_a_sound_message_is_handed_to_celery(headers: dict[str, object]) -> None:
    desk = Desk()
    desk.receive(desk.message(headers))
    assert (len(desk.consumer.handled), desk.noted, desk.channel.rejected) == (1, [], [])


def test_a_message_of_celerys_first_protocol_is_handed_over_as_well() -> None:
    desk = Desk()
    body = {"task": "tickerq.Send", "id": f"{ID}:1", "args": [], "kwargs": {}, "timelimit": [None, None]}
    desk.receive(desk.message({"ticker": [ID, 1]}, body))
    assert (len(desk.consumer.handled), desk.noted) == (1, [])


BROKEN: list[tuple[Mapping[str, object], object, DropReason]] = [
    (OURS, b"\x00\xff garbage", DropReason.UNDECODABLE),
    (OURS, "[" * 10_000 + "]" * 10_000, DropReason.UNDECODABLE),
    (OURS, [["x" * 64 * 1024], {}, {}], DropReason.INVALID),
    (OURS, "7", DropReason.INVALID),
    (OURS, "", DropReason.INVALID),
    (OURS | {"id": None}, "[[],{},{}]", DropReason.INVALID),
    (OURS | {"task": "tickerq.lost_attempt"}, "[[],{},{}]", DropReason.INVALID),
    ({}, b"\x00\xff garbage", DropReason.UNDECODABLE),
    ({}, "7", DropReason.INVALID),
    ({}, {"task": "tickerq.Send"}, DropReason.INVALID),
    ({}, {"task": "tickerq.Send", "id": "x", "args": 5}, DropReason.INVALID),
    ({}, {"task": "tickerq.Send", "id": "x", "args": [], "errbacks": [5]}, DropReason.INVALID),
]


@pytest.mark.parametrize(("headers", "body", "reason"), BROKEN)
def test_a_broken_message_is_rejected_said_once_and_counted(
    caplog: pytest.LogCaptureFixture, headers: Mapping[str, object], body: object, reason: DropReason
) -> None:
    desk = Desk()
    desk.receive(desk.message(headers, body))
    assert (desk.consumer.handled, desk.noted, desk.channel.rejected) == ([], [reason], [False])
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert len(record.getMessage()) < 300
    assert "\n" not in record.getMessage()


def test_a_content_type_that_is_not_accepted_is_not_decoded() -> None:
    desk = Desk()
    evil = pickle.dumps([[], {}, {}])
    desk.receive(desk.message(OURS, evil, content_type="application/x-python-serialize"))
    assert (desk.consumer.handled, desk.noted) == ([], [DropReason.UNDECODABLE])


def test_a_compression_that_lies_is_dropped_before_the_handler_sees_it() -> None:
    desk = Desk()
    message = desk.message(OURS | {"compression": "application/x-gzip"}, b"no gzip")
    message._reraise_error(desk.consumer.task_consumer.on_decode_error)
    assert (desk.noted, desk.consumer.calls) == ([DropReason.UNDECODABLE], [])


@pytest.mark.parametrize("headers", [THEIRS, UNKNOWN_OF_THEIRS])
def test_celery_handles_what_is_wrong_with_messages_of_the_users_own(
    headers: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk()
    message = desk.message(headers, b"\xff" * 100_000)
    desk.receive(message)
    desk.consumer.task_consumer.on_decode_error(message, ValueError())
    desk.consumer.on_unknown_task(None, message, KeyError())
    assert (len(desk.consumer.handled), desk.noted, caplog.messages) == (1, [], [])
    assert desk.consumer.calls == ["decode error", "unknown task"]


def test_a_task_that_this_worker_lacks_is_counted_and_passed_to_listeners(listener: SignalListener) -> None:
    desk = Desk()
    message = desk.message(OURS | {"task": "tickerq.Nope"})
    desk.consumer.on_unknown_task(None, message, KeyError("tickerq.Nope"))
    assert (desk.noted, desk.channel.rejected) == ([DropReason.UNKNOWN_TASK], [False])
    report = listener.reports.get_nowait()
    assert (str(report.ticker_id), report.claim_no) == (ID, 1)
    assert report.message == "this worker has no task tickerq.Nope"


@pytest.mark.parametrize("headers", [{"task": "their.other_task"}, UNKNOWN_OF_THEIRS | {"id": [1]}])
def test_a_task_unknown_to_every_worker_whose_message_has_no_id_ends_no_worker(
    headers: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk()
    desk.consumer.on_unknown_task(None, desk.message(headers), KeyError())
    assert (desk.consumer.calls, desk.noted, desk.channel.rejected) == ([], [], [False])
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("headers", [OURS, THEIRS])
@pytest.mark.parametrize("error", [TypeError("x"), OperationalError("lost"), KeyError("id")])
def test_what_goes_wrong_with_a_sound_message_is_celerys_concern(
    headers: dict[str, object], error: Exception
) -> None:
    desk = Desk(error)
    with pytest.raises(type(error)):
        desk.receive(desk.message(headers))
    assert (desk.noted, desk.channel.rejected) == ([], [])


def test_a_control_command_that_cannot_be_decoded_is_left_to_celery() -> None:
    desk = Desk()
    # Celery hands this one to the consumer of the control commands, whose messages are never acknowledged.
    desk.consumer.on_decode_error(desk.message({}, b"\xff"), ValueError())
    assert (desk.consumer.calls, desk.noted, desk.channel.rejected) == (["decode error"], [], [])


def test_a_malformed_message_is_sent_to_the_listeners_of_rejections() -> None:
    received: list[object] = []

    def listen(message: object, **_: object) -> None:
        received.append(message)

    signals.task_rejected.connect(listen, weak=False)
    desk = Desk()
    message = desk.message({}, [[], {}, {}])
    desk.receive(message)
    signals.task_rejected.disconnect(listen)
    assert (received, desk.noted) == ([message], [DropReason.INVALID])
