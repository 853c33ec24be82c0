"""The key that signs forms: the same in every process that serves a dashboard."""

import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256

from tickerq_dashboard.access.accounts import UserEntry
from tickerq_dashboard.access.csrf import CsrfTokens

_LABEL = b"tickerq dashboard"


def key_of(secret: str | bytes) -> bytes:
    """Return the key that a secret stands for."""
    return hmac.digest(secret.encode() if isinstance(secret, str) else secret, _LABEL, sha256)


def key_of_users(users: Mapping[str, UserEntry]) -> bytes:
    """Return a key that only those can know who know the password hashes."""
    entries = ((name, entry if isinstance(entry, str) else entry[0]) for name, entry in users.items())
    return key_of("\0".join(f"{name}\0{password_hash}" for name, password_hash in sorted(entries)))


def csrf_of(
    secret: str | bytes | None, users: Mapping[str, UserEntry] | None, *, is_host_login: bool
) -> CsrfTokens:
    """Return what makes and checks the tokens of forms, by the best key that there is.

    Where the host application logs users in and no secret was given, it waits for the application's own.
    """
    if secret:
        return CsrfTokens(key_of(secret))
    if users:
        return CsrfTokens(key_of_users(users))
    # Without any log-in nothing can be changed, so that a key of this process alone will do.
    return CsrfTokens(None if is_host_login else secrets.token_bytes(32))
