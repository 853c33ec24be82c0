"""Tells runs that were skipped for their parent's status from those skipped for another reason."""

from tests.inner import UNMET_REASON


def is_unmet_reason(reason: str | None) -> bool:
    """Return True if a run was skipped for its parent."""
    return (reason or "").startswith(UNMET_REASON)
