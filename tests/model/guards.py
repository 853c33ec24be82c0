"""What an exploration is given: the protocol's guards, and how much may happen."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The guards of the protocol; as designed all of them are on."""

    claim_checks_status: bool = True
    claim_counts: bool = True
    publish_follows_commit: bool = True
    stamp_leaves_status: bool = True
    give_back_checks_claim: bool = True
    give_back_checks_status: bool = True
    start_checks_claim: bool = True
    start_checks_status: bool = True
    finish_checks_claim: bool = True
    finish_checks_status: bool = True
    sweep_exists: bool = True
    sweep_keeps_claim: bool = True
    take_over_commits_first: bool = True
    rescue_exists: bool = True
    rescue_checks_claim: bool = True
    rescue_checks_status: bool = True
    reap_publishes_prefetched: bool = True
    claim_holds: bool = True
    release_frees_held: bool = True
    sweep_releases_holds: bool = True
    finish_moves_child: bool = True
    child_obeys_condition: bool = True
    fenced_finish_rolls_back: bool = True
    rescue_moves_child: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The bounds of one exploration: how much may go wrong, and which parts take part."""

    name: str
    faults: int
    retries: int = 1
    rescues: int = 1
    holds: int = 0
    chain: bool = False
    messages: int = 4
    claims: int = 7


class Model(NamedTuple):
    """A protocol within a scope: all that the moves depend on."""

    protocol: Protocol
    scope: Scope
