"""Each act is refused, audited and repeated alike: by a manager, by the command line, and by the API."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256

import pytest

from tests.dashboard.access.users import SECRET as KEY
from tests.dashboard.access.users import by_role
from tests.dashboard.api.conftest import Program
from tests.inner import new_id
from tests.integration.apps import sending_app
from tests.manual_clock import ManualClock
from tests.surfaces.acts import ACTS, Act
from tests.surfaces.hands import NAME, Hand, Hands, without_ids
from tests.surfaces.things import SECRET, Making, nothing_yet
from tests.thoroughness import in_verify
from tickerq_dashboard import create_app

# As which status the API says what managers raise; If-Match that does not match has its own.
STATUSES = {
    "TickerStateError": {409},
    "TickerChangedError": {409, 412},
    "DuplicateTickerError": {409},
    "InvalidCronError": {422},
    "OperationReusedError": {409},
}
# What a database does otherwise is below the managers.
STORES = ["sqlite", in_verify("postgres"), in_verify("mariadb")]
TOKENS = {NAME: (sha256(b"token-of-admin").hexdigest(), "admin")}

pytestmark = pytest.mark.parametrize("store_url", STORES, indirect=True)


@pytest.fixture
def hands(store_url: str, namespace: str, clock: ManualClock) -> Iterator[Hands]:
    with sending_app(store_url, namespace, clock) as tickerq:
        app = create_app(tickerq, auth=by_role, secret=KEY, api_tokens=TOKENS)
        yield Hands(tickerq, Program(app, "admin"), clock)


def others(hands: Hands, act: Act) -> Mapping[str, Hand]:
    """Return where an act can be done besides a manager."""
    found = {"cli": hands.by_command if act.words else None, "api": hands.by_api if act.route else None}
    return {name: hand for name, hand in found.items() if hand is not None}


def refusals(act: Act) -> Iterator[tuple[str, Making, Mapping[str, str]]]:
    """Yield why an act is refused, of what, and what is said besides."""
    if act.is_of_one:
        yield "missing", nothing_yet, {}
    if act.refused_of is not None:
        yield "in no state for it", act.refused_of, {}
    if "expected" in act.takes:
        yield "changed since it was seen", act.done_to, {"expected": act.earlier}


@contextmanager
def named(*words: str) -> Iterator[None]:
    """Add to what fails which act it was."""
    try:
        yield
    except Exception as error:
        error.add_note(", ".join(words))
        raise


def is_said_by(error: str | int | None, raised: str | int | None, act: Act) -> bool:
    """Return whether a surface says what a manager raised, by its name or by its status."""
    statuses = {**STATUSES, "TickerNotFoundError": {act.missing_as}}
    return error == raised or error in statuses.get(str(raised), ())


def test_what_is_refused_is_refused_and_audited_alike_and_changes_nothing(hands: Hands) -> None:
    for act in ACTS:
        for why, make, said in refusals(act):
            surfaces = others(hands, act)
            made = {name: make(hands.tickerq) for name in ("manager", "code", *surfaces)}
            hands.clock.advance(minutes=1)
            with named(act.name, why, "by a manager"):
                first = hands.by_manager(act, made["manager"], **said)
                assert (first.error is None, first.has_changed) == (False, False)
                assert [(each.outcome, each.action, each.count) for each in first.entries] == [
                    ("refused", act.audited_as, 1)
                ]
                if why == "missing":
                    assert made["manager"][0] in str(first.entries[0].error)
            with named(act.name, why, "by code"):
                found = hands.by_code(act, made["code"], **said)
                assert (found.error, found.has_changed, found.entries) == (first.error, False, [])
            for name, hand in surfaces.items():
                with named(act.name, why, name):
                    found = hand(act, made[name], **said)
                    assert is_said_by(found.error, first.error, act), found.answer
                    assert not found.has_changed
                    looked = name == "cli" and why == "missing" and act.looks_first
                    assert found.audited == ([] if looked else first.audited)
                    if name == "cli" and not looked:
                        assert without_ids(first.answer) in without_ids(found.answer)


def test_what_is_done_is_audited_alike_and_without_its_request(hands: Hands) -> None:
    for act in ACTS:
        surfaces = others(hands, act)
        made = {name: act.done_to(hands.tickerq) for name in ("manager", "code", *surfaces)}
        hands.clock.advance(minutes=1)
        with named(act.name, "by a manager"):
            first = hands.by_manager(act, made["manager"], **act.why)
            assert (first.error, first.has_changed) == (None, True)
            [entry] = first.entries
            assert (entry.action, entry.outcome, entry.via) == (act.audited_as, "done", "manager")
            assert (entry.actor, entry.reason) == (NAME, act.why.get("reason"))
            assert SECRET not in first.audited[0]
        with named(act.name, "by code"):
            found = hands.by_code(act, made["code"], **act.why)
            assert (found.error, found.has_changed) == (None, True)
            assert [each.actor for each in found.entries] == ([] if act.only_adds else ["code"])
        for name, hand in surfaces.items():
            with named(act.name, name):
                found = hand(act, made[name], **act.why)
                assert (found.error, found.has_changed) == (None, True), found.answer
                assert found.audited == first.audited
                assert {each.via for each in found.entries} == {name}


@pytest.mark.verify
def test_what_is_submitted_twice_by_one_id_is_done_once_and_answered_alike(hands: Hands) -> None:
    for act in ACTS:
        surfaces = {"manager": hands.by_manager, **others(hands, act)}
        surfaces.pop("cli", None)
        for name, hand in surfaces.items():
            names, elsewhere = act.done_to(hands.tickerq), act.done_to(hands.tickerq)
            with named(act.name, name):
                once = new_id()
                first = hand(act, names, operation_id=once)
                assert [each.id for each in first.entries] == [once]
                hands.clock.advance(minutes=1)
                again = hand(act, names, operation_id=once)
                assert (again.error, again.entries, again.has_changed) == (None, [], False)
                assert again.answer == first.answer
                other = hand(act, elsewhere, operation_id=once)
                if elsewhere != names:
                    assert is_said_by(other.error, "OperationReusedError", act)
                    assert "operation_id" in other.answer or name != "api"
                    assert not other.has_changed


@pytest.mark.verify
def test_what_is_said_twice_without_an_id_is_judged_anew_and_alike(hands: Hands) -> None:
    for act in ACTS:
        surfaces = others(hands, act)
        made = {name: act.done_to(hands.tickerq) for name in ("manager", *surfaces)}
        hands.by_manager(act, made["manager"])
        for name, hand in surfaces.items():
            hand(act, made[name])
        hands.clock.advance(minutes=1)
        second = hands.by_manager(act, made["manager"])
        for name, hand in surfaces.items():
            with named(act.name, name):
                found = hand(act, made[name])
                assert is_said_by(found.error, second.error, act)
                looked = name == "cli" and act.looks_first and second.error == "TickerNotFoundError"
                assert found.audited == ([] if looked else second.audited)
                assert found.has_changed == second.has_changed
