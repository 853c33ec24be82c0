"""Whose a database on a given server is: a process of a run owns it for as long as a connection of it lives.

The server ends the connection with the process, so any later run can tell what is left.
"""

import re
import uuid

_OWNER = re.compile(r"tickerq_test_[0-9a-f]{16}")


def new_owner() -> str:
    """Return a name that no other process has, on any machine; it begins the names of its databases."""
    return f"tickerq_test_{uuid.uuid4().hex[:16]}"


def owner_in(text: str) -> str | None:
    """Return the owner that a text begins with, if it does."""
    found = _OWNER.match(text)
    return found and found[0]
