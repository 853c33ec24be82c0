"""What a program says it has seen, by ``If-Match`` or by ``expected``: it changes that, or nothing."""

from flask import request

from tickerq_dashboard.api.answering import VERSION_END
from tickerq_dashboard.problem_details import RefusedError

_NEEDED = (
    "Send the ETag of what you have read as If-Match, or its version as expected; If-Match: * takes whatever "
    "is there."
)
_ONE = "Send one ETag of this object, as its address returned it."


def is_conditional() -> bool:
    """Return whether this request has ``If-Match``."""
    return "If-Match" in request.headers


def seen_version(expected: str | None = None, *, is_needed: bool) -> str | None:
    """Return the version that was seen; None where whatever is there may be changed.

    Raises:
        RefusedError: 428 where it is needed and not said, 412 where ``If-Match`` holds no ETag of an object.
    """
    if not is_conditional():
        if is_needed and expected is None:
            raise RefusedError(428, "It is not said what was seen", _NEEDED)
        return expected
    if request.if_match.star_tag:
        return None
    # Weak ones are left out: they match nothing here.
    versions = {etag.partition(VERSION_END)[0] for etag in request.if_match}
    if len(versions) != 1:
        raise RefusedError(412, "This is not what was seen", _ONE)
    return versions.pop()
