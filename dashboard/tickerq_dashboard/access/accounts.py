"""Who may log in: names with password hashes, checked when the dashboard is built."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tickerq_celery.errors import ConfigError, TickerValidationError
from tickerq_celery.views import Actor
from tickerq_dashboard.access.hashing import check_hash
from tickerq_dashboard.access.roles import ROLES

UserEntry = str | tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One name that may log in, with the hash of its password."""

    name: str
    password_hash: str = field(repr=False)
    role: str = "viewer"

    def __post_init__(self) -> None:
        setting = f"users[{self.name!r}]"
        check_name(setting, self.name)
        if self.role not in ROLES:
            raise ConfigError(setting, f"the role must be one of {', '.join(ROLES)}")
        check_hash(setting, self.password_hash)


def accounts_of(users: Mapping[str, UserEntry]) -> dict[str, Account]:
    """Return the accounts of a ``users`` mapping, refusing a plain password by its user's name."""
    if not isinstance(users, Mapping):
        # Without its value, which may be a password.
        raise ConfigError("users", "pass a dict of names with password hashes, {'ann': hash}")
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
    """Return the users written as ``name:hash`` or ``name:role:hash`` lines.

    Blank lines and ``#`` comments are skipped.
    """
    users: dict[str, UserEntry] = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, colon, entry = text.partition(":")
        if not colon or name in users:
            raise ConfigError("users", f"entry {number} must be name:hash or name:role:hash, each name once")
        role, _, password_hash = entry.partition(":")
        users[name] = (password_hash, role) if role in ROLES else entry
    return users


def check_name(setting: str, name: str) -> None:
    """Refuse a name that no log-in could send, or as whom the audit cannot name anyone."""
    if not name or ":" in name or not name.isprintable():
        raise ConfigError(setting, "a user name is printable text without a colon")
    try:
        Actor(name)
    except TickerValidationError as error:
        raise ConfigError(setting, str(error)) from error
