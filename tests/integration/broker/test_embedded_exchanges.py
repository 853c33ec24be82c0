"""The embedded broker's exchanges, and the queues that go with their consumer."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Exchange, Queue

from tests.integration.fs_connections import (
    FsConnect,
    broadcast,
    channel_of,
    connections,
    make_older,
    publish,
    receive,
    receive_all,
)
from tickerq_celery.broker.embedded.queues import QueueFolder

NEWS = Exchange("news", type="fanout", durable=False)


@pytest.fixture
def fs_folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def fs_connect(fs_folder: Path) -> Iterator[FsConnect]:
    with connections(fs_folder) as connect:
        yield connect


def subscription(name: str) -> Queue:
    return Queue(name, exchange=NEWS, durable=False, auto_delete=True)


def test_a_broadcast_reaches_every_subscriber(fs_connect: FsConnect) -> None:
    queues = [Queue(name, exchange=NEWS) for name in ("one", "two")]
    for queue in queues:
        queue(channel_of(fs_connect())).declare()
    broadcast(fs_connect(), NEWS, "hello")
    assert [receive_all(fs_connect(), queue.name) for queue in queues] == [["hello"], ["hello"]]


def test_subscribers_that_bind_at_once_are_all_bound(fs_connect: FsConnect) -> None:
    start = threading.Barrier(8)
    connections = [fs_connect() for _ in range(8)]

    def subscribe(number: int) -> None:
        channel = connections[number].default_channel
        start.wait()
        for step in range(10):
            Queue(f"{number}-{step}", exchange=NEWS)(channel).declare()

    threads = [threading.Thread(target=subscribe, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(channel_of(fs_connect()).get_table("news")) == 80


def test_a_routing_key_chooses_among_queues(fs_connect: FsConnect) -> None:
    topic, direct = Exchange("topics", type="topic"), Exchange("directs", type="direct")
    queues = [Queue("all", topic, "mail.#"), Queue("some", topic, "mail.sent"), Queue("one", direct, "key")]
    for queue in queues:
        queue(channel_of(fs_connect())).declare()
    publisher = fs_connect()
    for exchange, key in [(topic, "mail.sent"), (topic, "mail.lost"), (direct, "key"), (direct, "other")]:
        broadcast(publisher, exchange, key, routing_key=key)
    received = [receive_all(fs_connect(), queue.name) for queue in queues]
    assert received == [["mail.sent", "mail.lost"], ["mail.sent"], ["key"]]


def test_an_unbound_or_deleted_queue_receives_nothing(fs_connect: FsConnect, fs_folder: Path) -> None:
    channel = channel_of(fs_connect())
    kept, unbound, deleted = (Queue(name, exchange=NEWS)(channel) for name in ("kept", "unbound", "deleted"))
    for queue in (kept, unbound, deleted):
        queue.declare()
    unbound.unbind_from(NEWS)
    channel_of(fs_connect()).queue_delete("deleted")
    broadcast(fs_connect(), NEWS, "hello")
    assert [receive_all(fs_connect(), queue.name) for queue in (kept, unbound)] == [["hello"], []]
    assert not (fs_folder / "messages" / "deleted").exists()


def test_a_reply_to_a_queue_that_was_just_deleted_makes_no_new_one(
    fs_connect: FsConnect, fs_folder: Path
) -> None:
    Queue("gone", exchange=NEWS)(channel_of(fs_connect())).declare()
    QueueFolder(fs_folder).delete("gone")
    broadcast(fs_connect(), NEWS, "hello")
    assert list((fs_folder / "messages").iterdir()) == []


def test_two_folders_in_one_process_have_two_tables(fs_connect: FsConnect, tmp_path: Path) -> None:
    for name in ("first", "second"):
        channel = channel_of(fs_connect(tmp_path / name))
        Queue("jobs", exchange=NEWS)(channel).declare()
        assert len(channel.get_table("news")) == 1


def test_an_auto_delete_queue_goes_with_its_last_consumer(fs_connect: FsConnect, fs_folder: Path) -> None:
    connection = fs_connect()
    with connection.Consumer([subscription("worker")], accept=["json"]):
        assert (fs_folder / "messages" / "worker").exists()
    assert not (fs_folder / "messages" / "worker").exists()
    assert channel_of(fs_connect()).get_table("news") == []


def test_a_closed_connection_takes_its_auto_delete_queues_along(
    fs_connect: FsConnect, fs_folder: Path
) -> None:
    connection = fs_connect()
    connection.Consumer([subscription("worker")]).consume()
    connection.release()
    assert not (fs_folder / "messages" / "worker").exists()


def test_a_forked_child_leaves_the_queues_of_its_parent_alone(
    fs_connect: FsConnect, fs_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inherited = fs_connect()
    inherited.Consumer([subscription("worker")]).consume()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    inherited.release()
    assert (fs_folder / "messages" / "worker").exists()


def test_a_forked_child_gives_back_no_message_that_its_parent_has(
    fs_connect: FsConnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    inherited = fs_connect()
    publish(inherited, "jobs", 1)
    taken: list[object] = []
    inherited.Consumer([Queue("jobs")], callbacks=[lambda body, message: taken.append(body)]).consume()
    inherited.drain_events(timeout=5)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    inherited.release()
    assert (taken, receive_all(fs_connect(), "jobs")) == ([1], [])


def test_a_broadcast_to_a_killed_worker_does_not_reach_its_successor(fs_connect: FsConnect) -> None:
    killed = fs_connect()
    killed.Consumer([subscription("worker")]).consume()
    broadcast(fs_connect(), NEWS, "shutdown")
    successor = fs_connect()
    successor.Consumer([subscription("worker")]).consume()
    broadcast(fs_connect(), NEWS, "ping")
    assert receive_all(successor, "worker") == ["ping"]


def test_a_subscription_without_readers_is_swept(fs_connect: FsConnect, fs_folder: Path) -> None:
    for name in ("dead", "alive"):
        fs_connect().Consumer([subscription(name)]).consume()
    publish(fs_connect(), "jobs", 1)
    make_older(fs_folder / "messages" / "dead" / "lifetime")
    channel = channel_of(fs_connect())
    assert [queue for _, _, queue in channel.get_table("news")] == ["alive"]
    assert sorted(path.name for path in (fs_folder / "messages").iterdir()) == ["alive", "jobs"]


def test_a_subscriber_that_was_swept_while_it_paused_is_bound_again(
    fs_connect: FsConnect, fs_folder: Path
) -> None:
    paused = fs_connect()
    paused.Consumer([subscription("worker")]).consume()
    make_older(fs_folder / "messages" / "worker" / "lifetime")
    publisher = fs_connect()
    publisher.connect()
    assert not (fs_folder / "messages" / "worker").exists()
    assert receive(paused, "worker") is None
    broadcast(publisher, NEWS, "hello")
    assert receive(paused, "worker") == "hello"


def test_files_emptied_by_a_power_cut_are_written_anew(fs_connect: FsConnect, fs_folder: Path) -> None:
    for step in range(2):
        connection = fs_connect()
        connection.Consumer([subscription("worker")]).consume()
        broadcast(fs_connect(), NEWS, step)
        assert receive_all(connection, "worker") == [step]
        for path in [*fs_folder.glob("control/*/*"), *fs_folder.glob("messages/*/lifetime")]:
            path.write_bytes(b"")
