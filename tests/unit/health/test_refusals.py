"""A broker that does not take what beats publish: one finding, in its words, which blames no beat."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.health.nodes_made import AT, LEASE, beat, gone, shown, worker
from tests.unit.health.waiting_cases import case, node
from tickerq_celery.enums import NodeKind
from tickerq_celery.health.nodes import of_kind
from tickerq_celery.health.refusals import of_refusals
from tickerq_celery.health.waiting.explaining import explained
from tickerq_celery.views import NodeState, NodeView, SubjectKind, WaitCause

OOM = "refused messages: OOM command not allowed when used memory > 'maxmemory'"
SINCE = AT - timedelta(seconds=84)


def refused(name: str = "beat@web1", **fields: Any) -> NodeView:
    """Return a beat whose ticks have ended for 84 s as the broker did not take its messages."""
    own = {
        "refusal": OOM,
        "refused_since": SINCE,
        "refused_at": AT - timedelta(seconds=2),
        "ticked_at": SINCE,
    }
    return beat(name, **{**own, **fields})


def test_what_the_broker_refuses_is_a_failure_in_its_words_since_the_first_and_with_what_to_do() -> None:
    [found] = of_refusals([refused(), worker()])
    assert shown(found) == ("broker_refuses", "failed", "redis://broker/0")
    assert (found.subject and found.subject.kind, found.since) == (SubjectKind.BROKER, SINCE)
    assert found.text == (
        "the broker has refused messages: OOM command not allowed when used memory > 'maxmemory'; "
        "beat has published nothing: beat@web1 since 2026-01-15 11:58:36Z"
    )
    assert (found.remedy or "").startswith("Redis has reached `maxmemory`: raise it")
    assert "nothing is lost" in (found.remedy or "")


def test_a_beat_whose_messages_are_refused_is_not_late() -> None:
    found = of_kind(NodeKind.BEAT, [refused()], [], at=AT, late_after=LEASE)
    assert [each.code.value for each in found] == ["beats"]


def test_one_that_stalls_beside_it_is_late_and_no_beat_is_on_time() -> None:
    stalled = beat("late@web1", ticked_at=SINCE)
    found = of_kind(NodeKind.BEAT, [refused(), stalled], [], at=AT, late_after=LEASE)
    assert [shown(each) for each in found][1:] == [("beat_late", "failed", "late@web1")]


def test_beats_that_say_the_same_are_one_finding_and_a_warning_where_another_one_publishes() -> None:
    [both] = of_refusals([refused("a"), refused("b")])
    assert "beats have published nothing: a since 2026-01-15 11:58:36Z and b since" in both.text
    assert [shown(each)[1] for each in of_refusals([refused("a"), beat("b")])] == ["warning"]
    apart = of_refusals([refused("a"), refused("b", refusal="confirmed no message within 5 s")])
    assert [each.text.partition(";")[0] for each in apart] == [
        f"the broker has {OOM}", "the broker has confirmed no message within 5 s",
    ]  # fmt: skip


def test_what_was_refused_before_a_complete_tick_is_a_warning_that_says_when() -> None:
    [found] = of_refusals([refused(ticked_at=AT)])
    assert shown(found)[:2] == ("broker_refuses", "warning")
    assert found.text == (
        f"the broker had {OOM}, at 2026-01-15 11:59:58Z for the last time; "
        "beat beat@web1 has had nothing to publish since"
    )


def test_what_a_beat_said_that_is_gone_or_elsewhere_counts_no_more() -> None:
    assert list(of_refusals([gone(refused(), 42)])) == []
    assert list(of_refusals([refused()], host="web2")) == []


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("refused messages: READONLY You can't write against a read only replica", "a replica"),
        ("refused messages: MISCONF Redis is configured to save RDB snapshots", "save to its disk"),
        ("refused messages: NOPERM User app has no permissions", "the permission"),
        ("taken no messages, as it has an alarm: low on memory", "`rabbitmq-diagnostics alarms`"),
        ("taken no messages, as it has an alarm: low on disk", "`disk_free_limit`"),
        ("confirmed no message within 5 s", "log and load"),
        ("been unreachable", "the network between"),
        ("refused messages: of a kind that nobody knows", "nothing is lost"),
    ],
)
def test_what_helps_goes_by_the_words(words: str, remedy: str) -> None:
    [found] = of_refusals([refused(refusal=words)])
    assert remedy in (found.remedy or "")


def test_a_due_run_waits_for_the_broker_that_refuses_its_message_and_for_no_beat() -> None:
    since = {"refused_since": SINCE, "refused_at": AT, "ticked_at": SINCE}
    beats = node(NodeKind.BEAT, NodeState.ALIVE, refusal=OOM, **since)
    explanation = explained(case(nodes=[node(), beats]))
    [wait] = explanation.waits
    assert wait.cause is WaitCause.BROKER
    assert wait.text.startswith(f"The broker has {OOM}; beat has published nothing: b1 since")
    assert (wait.remedy or "").startswith("Redis has reached `maxmemory`")
    assert explanation.summary.startswith("Waits for the broker, which has refused messages: OOM")


def test_a_due_run_waits_for_no_broker_while_another_beat_publishes() -> None:
    beats = node(NodeKind.BEAT, refusal=OOM, refused_since=SINCE, refused_at=AT, ticked_at=SINCE)
    causes = [each.cause for each in explained(case(nodes=[node(), beats, node(NodeKind.BEAT)])).waits]
    assert causes == [WaitCause.CLAIM]
