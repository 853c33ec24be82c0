"""What is said of a claim that ended without a word from its body."""

from dataclasses import dataclass
from enum import Enum
from uuid import UUID


class Ending(Enum):
    """How a run ended without a word from its body."""

    LOST = "lost"
    TIMED_OUT = "timed out"
    REVOKED = "revoked"
    UNKNOWN = "unknown function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a signal said about one claim."""

    ticker_id: UUID
    claim_no: int
    ending: Ending
    message: str
