"""What may be done on the dashboard, and which role may do it."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from tickerq_celery.errors import ConfigError


class Permission(StrEnum):
    """One thing that a user may be allowed; ``VIEW`` is to read the pages at all."""

    VIEW = "view"
    PAYLOAD_VIEW = "payload.view"
    AUDIT_VIEW = "audit.view"
    RUNS_RETRY = "runs.retry"
    RUNS_CANCEL = "runs.cancel"
    RUNS_RELEASE = "runs.release"
    RUNS_MARK_FAILED = "runs.mark_failed"
    RUNS_TERMINATE = "runs.terminate"
    RUNS_DELETE = "runs.delete"
    TICKERS_CREATE = "tickers.create"
    TICKERS_EDIT = "tickers.edit"
    TICKERS_DELETE = "tickers.delete"
    PAYLOAD_EDIT = "payload.edit"
    CRONS_RUN = "crons.run"
    CRONS_PAUSE = "crons.pause"
    CRONS_CREATE = "crons.create"
    CRONS_EDIT = "crons.edit"
    CRONS_DELETE = "crons.delete"
    FUNCTIONS_PAUSE = "functions.pause"
    BULK_LARGE = "bulk.large"


class ForbiddenError(PermissionError):
    """The visitor's role does not allow what the route does."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"needs the permission {permission}")
        self.permission = permission


Permissions = frozenset[Permission]

_VIEWER = {Permission.VIEW, Permission.PAYLOAD_VIEW, Permission.AUDIT_VIEW}
_OPERATOR = _VIEWER | {
    Permission.RUNS_RETRY,
    Permission.RUNS_CANCEL,
    Permission.RUNS_RELEASE,
    Permission.TICKERS_CREATE,
    Permission.PAYLOAD_EDIT,
    Permission.CRONS_RUN,
    Permission.CRONS_PAUSE,
    Permission.FUNCTIONS_PAUSE,
}
ROLES: Mapping[str, Permissions] = {
    "viewer": frozenset(_VIEWER),
    "operator": frozenset(_OPERATOR),
    "admin": frozenset(Permission),
}


def role_permissions(changed: Mapping[str, Collection[str]] | None) -> Mapping[str, Permissions]:
    """Return what each role may do, where ``changed`` has the whole set of each role that it names.

    Raises:
        ConfigError: A role or a permission does not exist, or a role could not read the pages.
    """
    roles = dict(ROLES)
    for role, names in (changed or {}).items():
        setting = f"permissions[{role!r}]"
        if role not in ROLES:
            raise ConfigError(setting, f"the role must be one of {', '.join(ROLES)}")
        unknown = sorted(set(names) - set(Permission))
        if isinstance(names, str) or unknown:
            raise ConfigError(setting, f"no such permission: {', '.join(unknown) or names}")
        roles[role] = frozenset(map(Permission, names)) | {Permission.VIEW}
    return roles


def roles_with(permission: Permission | None, roles: Mapping[str, Permissions]) -> tuple[str, ...]:
    """Return the roles that have a permission."""
    return tuple(name for name, allowed in roles.items() if permission in allowed)
