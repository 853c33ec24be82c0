"""Why workers drop messages and the ends of attempts."""

from enum import StrEnum


class DropReason(StrEnum):
    """Why a message, or the end of an attempt, was dropped."""

    UNKNOWN_ID = "unknown_id"
    OLD_CLAIM = "old_claim"
    STARTED_ALREADY = "started_already"
    OTHER_NAMESPACE = "other_namespace"
    SUPERSEDED = "superseded"
    BROKEN_HEADER = "broken_header"
    UNADDRESSED = "unaddressed"
    UNDECODABLE = "undecodable"
    UNKNOWN_TASK = "unknown_task"
    INVALID = "invalid"
