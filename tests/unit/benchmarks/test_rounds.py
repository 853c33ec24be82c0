"""Subjects in processes of their own: each works, is left out with a reason, or is ended in time."""

from dataclasses import replace

import pytest

from benchmarks.outcomes import Outcome
from benchmarks.rounds import Amount, Rounds
from benchmarks.servers import Servers
from benchmarks.subjects import Measure, Subject

SUBJECTS = "tests.unit.benchmarks.subjects"


def subject(name: str, **others: object) -> Subject:
    made = Subject(name=name, path=f"{SUBJECTS}:{name}", count=20, quick=2)
    return replace(made, **others)  # type: ignore[arg-type]


def measured(*subjects: Subject, amount: Amount, seconds: float = 30.0, total: float = 600.0) -> Outcome:
    measure = Measure(name="m", title="M", text="", subjects=subjects, seconds=seconds, total_seconds=total)
    with Servers() as servers:
        return Rounds(measure, servers, amount, lambda line: None).measure()


def test_each_round_runs_each_subject_once_with_its_count() -> None:
    outcome = measured(subject("works"), amount=Amount(rounds=2))
    assert [[each.count for each in one] for one in outcome.rounds] == [[20], [20]]
    assert outcome.left_out == ()


def test_a_quick_run_takes_the_small_counts() -> None:
    outcome = measured(subject("works"), amount=Amount(rounds=1, is_quick=True))
    assert [[each.count for each in one] for one in outcome.rounds] == [[2]]


def test_a_subject_that_fails_is_left_out_and_the_others_go_on() -> None:
    outcome = measured(subject("fails"), subject("exits"), subject("works"), amount=Amount(rounds=2))
    assert [len(one) for one in outcome.rounds] == [1, 1]
    reasons = {each.subject: each.reason for each in outcome.left_out}
    assert reasons == {"fails": "LookupError: there is no such thing", "exits": "it ended with 3"}


def test_a_subject_that_hangs_is_ended() -> None:
    outcome = measured(subject("hangs"), amount=Amount(rounds=1), seconds=0.5)
    assert [each.reason for each in outcome.left_out] == ["it took more than 0.5 s"]


def test_a_measure_that_has_taken_its_time_begins_no_other_round() -> None:
    assert len(measured(subject("works"), amount=Amount(rounds=5), total=0.0).rounds) == 1


def test_of_rounds_that_were_asked_for_none_is_left_out() -> None:
    outcome = measured(subject("works"), amount=Amount(rounds=2, is_whole=True), total=0.0)
    assert len(outcome.rounds) == 2


def test_a_subject_whose_server_is_missing_is_left_out_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Servers, "missing", lambda self, kind: f"{kind}: apt install it")
    outcome = measured(subject("works", store="mariadb"), amount=Amount(rounds=1))
    assert [(each.subject, each.reason) for each in outcome.left_out] == [
        ("works", "mariadb: apt install it")
    ]
    assert outcome.rounds == ()


def test_a_peer_is_left_out_where_peers_are_not_asked_for() -> None:
    outcome = measured(subject("works", environment="celery"), amount=Amount(rounds=1, with_peers=False))
    assert [each.reason for each in outcome.left_out] == ["the peers were not asked for"]
