"""Ids of runs, cron tickers and jobs as the pages shorten them: their last digits, in which they differ."""

import re
from uuid import UUID

# An id as sentences of the core have it.
IN_TEXT = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
_DIGITS = 12


def short_id(of: UUID | str) -> str:
    """Return the end of an id; a text that is shorter, or none, is returned as it is."""
    return str(of)[-_DIGITS:] if is_id(str(of)) else str(of)


def is_id(text: str) -> bool:
    """Return True if a text is an id."""
    try:
        return bool(UUID(text))
    except ValueError:
        return False
