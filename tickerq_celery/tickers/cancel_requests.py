"""What a cancel asks of an active run."""

from enum import StrEnum


class CancelRequest(StrEnum):
    """What is asked of an active run: to end by itself, or to have its process killed."""

    END = "end"
    TERMINATE = "terminate"
