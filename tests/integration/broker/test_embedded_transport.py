"""The embedded broker as kombu sees it: addresses, messages and queues."""

import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue
from kombu.exceptions import ChannelError, OperationalError

from tests.inner import Transport, broker_folder, register
from tests.integration.fs_connections import (
    FsConnect,
    channel_of,
    connections,
    make_older,
    publish,
    queue_files,
    receive,
    receive_all,
)
from tickerq_celery.broker.embedded.queues import QueueFolder
from tickerq_celery.errors import ConfigError

ODD_NAMES = [
    "plain", "a/b", "../up", ".", "..", ".hidden", "with space", "celery@host.celery.pidbox", "Ünï ☃", "A",
    "a", "%41", "a.msg", "line\nbreak", "nul\0byte", "x" * 300, "x" * 301,
]  # fmt: skip
GARBAGE = [b"", b"{", b"\xff\xfe", b"[]", b"7", b'{"properties": {}}', b"[" * 100_000]
MANY = 400


@pytest.fixture
def fs_folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def fs_connect(fs_folder: Path) -> Iterator[FsConnect]:
    with connections(fs_folder) as connect:
        yield connect


@pytest.mark.parametrize(
    "name", ["plain", "with space", "semi;colon", "a#b", "a?b", "100%41", "Ünï", "a+b@c:d"]
)
def test_the_url_carries_any_folder(fs_connect: FsConnect, tmp_path: Path, name: str) -> None:
    connection = fs_connect(tmp_path / name)
    publish(connection, "jobs", 1)
    assert broker_folder(connection) == tmp_path / name
    assert queue_files(tmp_path / name)
    assert broker_folder(connection.clone()) == tmp_path / name


@pytest.mark.parametrize("url", ["tickerq-fs://relative/folder", "tickerq-fs://", "tickerq-fs:///"])
def test_a_url_without_an_absolute_folder_is_refused(url: str) -> None:
    register()
    with pytest.raises(ConfigError, match="absolute folder"):
        Connection(url).connect()


def test_a_file_among_the_queues_is_left_alone(fs_connect: FsConnect, fs_folder: Path) -> None:
    stray = fs_folder / "messages" / ".DS_Store"
    stray.parent.mkdir(parents=True)
    stray.write_text("a file browser's")
    publish(fs_connect(), "jobs", 1)
    assert receive_all(fs_connect(), "jobs") == [1]
    assert stray.exists()


def test_a_queue_deleted_during_a_sweep_is_not_missed(
    fs_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = QueueFolder(fs_folder)
    queues.create("jobs")
    read = Path.read_bytes

    def delete_and_read(path: Path) -> bytes:
        QueueFolder(fs_folder).delete("jobs")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", delete_and_read)
    assert queues.sweep() == []


def test_registering_twice_changes_nothing(fs_connect: FsConnect) -> None:
    register()
    register()
    assert isinstance(fs_connect().transport, Transport)


def test_a_folder_that_cannot_be_used_is_a_broker_that_is_down(fs_connect: FsConnect, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OperationalError):
        fs_connect(tmp_path / "file").ensure_connection(max_retries=1, interval_start=0)


def test_connections_log_nothing(fs_connect: FsConnect, caplog: pytest.LogCaptureFixture) -> None:
    connection = fs_connect()
    publish(connection.clone(), "jobs", 1)
    assert connection.as_uri()
    assert not caplog.records


def test_queues_with_odd_names_are_distinguished(fs_connect: FsConnect, fs_folder: Path) -> None:
    connection = fs_connect()
    for name in ODD_NAMES:
        publish(connection, name, name)
    assert [receive_all(fs_connect(), name) for name in ODD_NAMES] == [[name] for name in ODD_NAMES]
    assert len(list((fs_folder / "messages").iterdir())) == len(ODD_NAMES)
    assert sorted(path.name for path in fs_folder.parent.iterdir()) == ["broker"]
    assert len({path.name.lower() for path in (fs_folder / "messages").iterdir()}) == len(ODD_NAMES)


def test_messages_of_one_publisher_arrive_in_order(fs_connect: FsConnect) -> None:
    publish(fs_connect(), "jobs", *range(MANY))
    assert receive_all(fs_connect(), "jobs") == list(range(MANY))


class BackwardClock:
    """A wall clock that is set back between two looks."""

    def __init__(self) -> None:
        self._moment = datetime(2030, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self._moment -= timedelta(seconds=1)
        return self._moment

    def monotonic(self) -> float:
        raise NotImplementedError

    def sql_literal(self) -> datetime | None:
        raise NotImplementedError


def test_a_clock_that_goes_back_does_not_change_the_order(fs_folder: Path) -> None:
    queues = QueueFolder(fs_folder, BackwardClock())
    queues.create("jobs")
    for number in range(10):
        queues.publish("jobs", str(number).encode())
    names = queues.waiting("jobs")
    assert [(fs_folder / "messages" / "jobs" / name).read_text() for name in names] == list("0123456789")


def test_a_half_written_message_is_not_read(fs_connect: FsConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher, consumer = fs_connect(), fs_connect()
    publish(publisher, "jobs", 1)
    whole_write = Path.write_bytes
    seen_halfway: list[object] = []

    def write_in_two_steps(path: Path, body: bytes) -> int:
        whole_write(path, body[:20])
        seen_halfway.extend(receive_all(consumer, "jobs"))
        with path.open("ab") as rest:
            return rest.write(body[20:])

    monkeypatch.setattr(Path, "write_bytes", write_in_two_steps)
    publish(publisher, "jobs", 2)
    assert seen_halfway == [1]
    assert receive_all(consumer, "jobs") == [2]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_a_file_that_is_no_message_is_put_aside(
    fs_connect: FsConnect, fs_folder: Path, caplog: pytest.LogCaptureFixture, garbage: bytes
) -> None:
    connection = fs_connect()
    publish(connection, "jobs", 1)
    (fs_folder / "messages" / "jobs" / "0000-garbage.msg").write_bytes(garbage)
    with caplog.at_level(logging.ERROR):
        assert receive_all(connection, "jobs") == [1]
    rejected = list((fs_folder / "rejected").iterdir())
    assert [path.read_bytes() for path in rejected] == [garbage]
    assert [record.args for record in caplog.records] == [(rejected[0],)]


def test_a_taken_message_leaves_no_file(fs_connect: FsConnect, fs_folder: Path) -> None:
    connection = fs_connect()
    publish(connection, "jobs", *range(10))
    assert len(receive_all(connection, "jobs")) == 10
    assert queue_files(fs_folder) == []


def test_consumers_share_no_message(fs_connect: FsConnect) -> None:
    publish(fs_connect(), "jobs", *range(MANY))
    taken: list[list[int]] = [[] for _ in range(4)]
    start = threading.Barrier(len(taken))

    def consume(mine: list[int], connection: Connection) -> None:
        start.wait()
        mine.extend(receive_all(connection, "jobs"))

    threads = [threading.Thread(target=consume, args=(mine, fs_connect())) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for mine in taken for number in mine) == list(range(MANY))
    assert all(mine == sorted(mine) for mine in taken)


def test_a_backlog_is_listed_once(fs_connect: FsConnect, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = fs_connect()
    publish(connection, "jobs", *range(MANY))
    listings: list[str] = []
    waiting = QueueFolder.waiting

    def count_listings(queues: QueueFolder, queue: str) -> list[str]:
        listings.append(queue)
        return waiting(queues, queue)

    monkeypatch.setattr(QueueFolder, "waiting", count_listings)
    assert len(receive_all(connection, "jobs")) == MANY
    assert len(listings) == 2


def test_a_message_published_after_the_listing_arrives_last(fs_connect: FsConnect) -> None:
    connection = fs_connect()
    publish(connection, "jobs", 1, 2)
    assert receive(connection, "jobs") == 1
    publish(fs_connect(), "jobs", 3)
    assert receive_all(connection, "jobs") == [2, 3]


def test_an_unacknowledged_message_goes_back_when_its_connection_closes(fs_connect: FsConnect) -> None:
    connection = fs_connect()
    publish(connection, "jobs", 1)
    assert channel_of(connection).basic_get("jobs") is not None
    assert receive(fs_connect(), "jobs") is None
    connection.release()
    assert receive(fs_connect(), "jobs") == 1


def test_size_purge_and_delete_say_what_they_did(fs_connect: FsConnect, fs_folder: Path) -> None:
    channel = channel_of(fs_connect())
    queue = Queue("jobs")(channel)
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        queue.queue_declare(passive=True)
    publish(fs_connect(), "jobs", *range(5))
    assert channel.queue_declare("jobs", passive=True).message_count == 5
    assert channel.queue_purge("jobs") == 5
    assert channel.queue_declare("jobs", passive=True).message_count == 0
    publish(fs_connect(), "jobs", 1)
    channel.queue_delete("jobs", if_empty=True)
    assert receive(fs_connect(), "jobs") == 1
    channel.queue_delete("jobs", if_empty=True)
    assert not (fs_folder / "messages" / "jobs").exists()
    assert list((fs_folder / "messages").iterdir()) == []


def test_a_message_to_a_deleted_queue_makes_it_anew(fs_connect: FsConnect) -> None:
    connection = fs_connect()
    publish(connection, "jobs", 1)
    channel_of(fs_connect()).queue_delete("jobs")
    publish(connection, "jobs", 2)
    assert receive_all(fs_connect(), "jobs") == [2]


def test_leftovers_of_killed_processes_are_swept_after_an_hour(
    fs_connect: FsConnect, fs_folder: Path
) -> None:
    publish(fs_connect(), "jobs", 1)
    queue = fs_folder / "messages" / "jobs"
    names = ["old.part", "old.msg.1234.claimed", "old.msg", "young.part", "young.msg.1234.claimed"]
    for name in names:
        (queue / name).write_bytes(b"{}")
    (fs_folder / "messages" / ".deleted-1234").mkdir()
    for path in queue.glob("old*"):
        make_older(path)
    fs_connect().connect()
    assert [name for name in names if (queue / name).exists()] == names[2:]
    assert not (fs_folder / "messages" / ".deleted-1234").exists()


def test_pauses_begin_short_and_double_up_to_the_polling_interval(
    fs_connect: FsConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = fs_connect(polling_interval=0.01)
    pauses: list[float] = []

    def publish_after_six(pause: float) -> None:
        pauses.append(pause)
        if len(pauses) >= 6:
            publish(fs_connect(), "jobs", 1)

    monkeypatch.setattr(time, "sleep", publish_after_six)
    with connection.Consumer([Queue("jobs")], accept=["json"], on_message=lambda message: message.ack()):
        connection.drain_events(timeout=60)
        connection.drain_events(timeout=60)
    assert pauses == [0.001, 0.002, 0.004, 0.008, 0.01, 0.01, 0.001]


def test_a_full_window_is_looked_at_again_soon(
    fs_connect: FsConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = fs_connect(polling_interval=30)
    publish(connection, "jobs", 1, 2)
    held: list[Any] = []
    pauses: list[float] = []

    def acknowledge(pause: float) -> None:
        pauses.append(pause)
        held[0].ack()

    monkeypatch.setattr(time, "sleep", acknowledge)
    with connection.Consumer([Queue("jobs")], accept=["json"], on_message=held.append) as consumer:
        consumer.qos(prefetch_count=1)
        connection.drain_events(timeout=60)
        connection.drain_events(timeout=60)
    assert [message.payload for message in held] == [1, 2]
    assert pauses == [0.001]


def test_waiting_ends_with_a_timeout(fs_connect: FsConnect) -> None:
    connection = fs_connect()
    with connection.Consumer([Queue("jobs")]), pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.01)
