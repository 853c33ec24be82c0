"""Each guard of the protocol is needed: without it some promise is broken."""

from dataclasses import fields
from typing import NamedTuple

import pytest

from tests.model.guards import Model, Protocol, Scope
from tests.model.invariants import (
    INVARIANTS,
    NO_RUN_IS_LOST,
    Invariant,
    no_body_after_the_end,
    no_child_against_its_condition,
    no_child_before_the_end,
    no_child_waits_after_the_end,
    no_claim_against_a_cause,
    no_claim_before_the_last_is_over,
    no_concurrent_bodies,
    no_finish_of_a_stale_claim,
    no_hold_survives_its_release,
    no_message_before_its_commit,
    no_reap_hides_a_message,
    no_release_of_a_stale_claim,
    no_start_of_a_stale_claim,
    one_body_per_claim,
    one_message_per_check,
)
from tests.model.protocol import CHAIN, CORE, HOLDS
from tests.model.search import explore
from tests.thoroughness import in_verify


class Mutation(NamedTuple):
    """A guard, where to look without it, and the promise that is then broken."""

    guard: str
    scope: Scope
    broken: Invariant | None  # None: a run is lost

    @property
    def expected(self) -> str:
        return self.broken.__name__ if self.broken else NO_RUN_IS_LOST

    def __str__(self) -> str:
        return f"{self.guard}-{self.expected}"


MUTATIONS = (
    Mutation("claim_checks_status", CORE, no_claim_before_the_last_is_over),
    Mutation("claim_counts", CORE, one_body_per_claim),
    Mutation("publish_follows_commit", CORE, no_message_before_its_commit),
    Mutation("stamp_leaves_status", CORE, no_body_after_the_end),
    Mutation("give_back_checks_claim", CORE, no_release_of_a_stale_claim),
    Mutation("give_back_checks_status", CORE, no_concurrent_bodies),
    Mutation("start_checks_claim", CORE, one_body_per_claim),
    Mutation("start_checks_claim", CORE, no_start_of_a_stale_claim),
    Mutation("start_checks_status", CORE, one_body_per_claim),
    Mutation("finish_checks_claim", CORE, no_finish_of_a_stale_claim),
    Mutation("finish_checks_status", CORE, no_finish_of_a_stale_claim),
    Mutation("sweep_exists", CORE, None),
    Mutation("sweep_keeps_claim", CORE, no_claim_before_the_last_is_over),
    Mutation("take_over_commits_first", CORE, one_message_per_check),
    Mutation("rescue_exists", CORE, None),
    Mutation("rescue_checks_claim", CORE, no_release_of_a_stale_claim),
    Mutation("rescue_checks_status", CORE, no_body_after_the_end),
    Mutation("reap_publishes_prefetched", CORE, no_reap_hides_a_message),
    Mutation("claim_holds", HOLDS, no_claim_against_a_cause),
    Mutation("release_frees_held", HOLDS, no_hold_survives_its_release),
    Mutation("sweep_releases_holds", HOLDS, None),
    Mutation("finish_moves_child", CHAIN, no_child_waits_after_the_end),
    Mutation("child_obeys_condition", CHAIN, no_child_against_its_condition),
    Mutation("fenced_finish_rolls_back", CHAIN, no_child_before_the_end),
    Mutation("rescue_moves_child", CHAIN, no_child_waits_after_the_end),
)


@pytest.mark.parametrize("mutation", [MUTATIONS[0], *map(in_verify, MUTATIONS[1:])], ids=str)
def test_without_this_guard_a_promise_is_broken(mutation: Mutation) -> None:
    protocol = Protocol(**{mutation.guard: False})
    found = explore(Model(protocol, mutation.scope), until=mutation.expected).violations
    broken = "\n".join(str(violation) for violation in found.values())
    is_broken = mutation.expected in found
    assert is_broken, f"without {mutation.guard}, {mutation.expected} still holds; broken instead:\n{broken}"
    print(found[mutation.expected])


def test_every_guard_has_a_mutation() -> None:
    assert {mutation.guard for mutation in MUTATIONS} == {guard.name for guard in fields(Protocol)}


def test_every_promise_can_be_broken() -> None:
    promises = {invariant.__name__ for invariant in INVARIANTS} | {NO_RUN_IS_LOST}
    assert {mutation.expected for mutation in MUTATIONS} == promises
