"""Ids that sort by the time they were made (UUIDv7, RFC 9562)."""

import sys
from uuid import UUID

if sys.version_info >= (3, 14):
    from uuid import uuid7
else:
    from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a new id."""
    return uuid7()
