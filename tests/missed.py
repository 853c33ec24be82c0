"""Reads the record of missed instants back out of the words in which an occurrence carries it."""

import re
from datetime import datetime

from tests.inner import Misfire

_RECORD = re.compile(
    r"(?:Missed|Paused|Edited): (at least )?(\d+) instants? from (\S+) to (\S+) (?:passed|had not fired)"
)


def missed(skipped_reason: str | None) -> Misfire | None:
    """Return which instants a reason records as missed, or None where it gives another reason, or none."""
    record = _RECORD.match(skipped_reason or "")
    if record is None:
        return None
    about, count, first, last = record.groups()
    return Misfire(
        first=datetime.fromisoformat(first),
        last=datetime.fromisoformat(last),
        count=int(count),
        count_is_exact=about is None,
    )
