"""Who may log in: names with password hashes, checked when the dashboard is built."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from werkzeug.security import check_password_hash

from tickerq_celery.errors import ConfigError

METHODS = frozenset({"scrypt", "pbkdf2"})
ROLES = frozenset({"viewer", "operator", "admin"})

UserEntry = str | tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One name that may log in, with the hash of its password."""

    name: str
    password_hash: str = field(repr=False)
    role: str = "viewer"

    def __post_init__(self) -> None:
        setting = f"users[{self.name!r}]"
        if not self.name or ":" in self.name or not self.name.isprintable():
            raise ConfigError(setting, "a user name is printable text without a colon")
        if self.role not in ROLES:
            raise ConfigError(setting, f"the role must be one of {', '.join(sorted(ROLES))}")
        _check_hash(setting, self.password_hash)


def accounts_of(users: Mapping[str, UserEntry]) -> dict[str, Account]:
    """Return the accounts of a ``users`` mapping, refusing a plain password by its user's name."""
    accounts: dict[str, Account] = {}
    for name, entry in users.items():
        if isinstance(entry, tuple):
            if len(entry) != 2:
                raise ConfigError(f"users[{name!r}]", "give a password hash, or (password hash, role)")
            accounts[name] = Account(name=name, password_hash=entry[0], role=entry[1])
        else:
            accounts[name] = Account(name=name, password_hash=entry)
    return accounts


def users_in(lines: Iterable[str]) -> dict[str, UserEntry]:
    """Return the users written as ``name:hash`` lines; blank lines and ``#`` comments are skipped."""
    users: dict[str, UserEntry] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, colon, password_hash = text.partition(":")
        if not colon or name in users:
            raise ConfigError("users", f"entry {number} must be name:hash, each name once")
        users[name] = password_hash
    return users


def _check_hash(setting: str, password_hash: object) -> None:
    """Refuse what is no usable hash, without ever repeating it: it may be a password."""
    advice = "make one with: tickerq dashboard hash-password"
    method = password_hash.partition("$")[0].partition(":")[0] if isinstance(password_hash, str) else ""
    if not isinstance(password_hash, str) or method not in METHODS or password_hash.count("$") != 2:
        raise ConfigError(setting, f"not a scrypt or pbkdf2 password hash; {advice}")
    try:
        opens_without_password = check_password_hash(password_hash, "")
    except (ValueError, MemoryError, OverflowError):
        # Not chained: the cause may quote parts of what was given.
        raise ConfigError(setting, f"a password hash that cannot be computed; {advice}") from None
    if opens_without_password:
        raise ConfigError(setting, f"the hash of an empty password; {advice}")
