"""Tokens of programs: only their hashes are known here."""

import hmac
import re
from collections.abc import Collection, Mapping
from hashlib import sha256

from tickerq_celery.errors import ConfigError
from tickerq_dashboard.access.accounts import check_name
from tickerq_dashboard.access.roles import Permissions
from tickerq_dashboard.access.visitors import Visitor

TokenEntry = str | tuple[str, str]
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ApiTokens:
    """Says which program a token belongs to."""

    def __init__(
        self,
        tokens: Mapping[str, TokenEntry],
        roles: Mapping[str, Permissions],
        *,
        taken: Collection[str] = (),
    ) -> None:
        """Check the entries: a hash, or (hash, role), by the program's name.

        Raises:
            ConfigError: An entry is no SHA-256, has no known role, or the name of a user.
        """
        self._visitors: dict[str, Visitor] = {}
        for name, entry in tokens.items():
            digest, role = entry if isinstance(entry, tuple) else (entry, "viewer")
            setting = f"api_tokens[{name!r}]"
            check_name(setting, name)
            if name in taken:
                raise ConfigError(setting, "a user has this name")
            if not _SHA256.fullmatch(str(digest)):
                raise ConfigError(setting, "give the SHA-256 of the token, as 64 hexadecimal digits")
            if role not in roles:
                raise ConfigError(setting, f"the role must be one of {', '.join(roles)}")
            self._visitors[digest] = Visitor(name=name, role=role, permissions=roles[role], via="api")

    def visitor(self, token: str) -> Visitor | None:
        """Return the program that has this token, or None."""
        given = sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found = None
        # All are compared, so that the time says nothing about which one it was.
        for digest, visitor in self._visitors.items():
            if hmac.compare_digest(digest, given):
                found = visitor
        return found
