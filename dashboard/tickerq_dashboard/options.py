"""The settings of one dashboard, checked once when it is built."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from tickerq_celery.errors import ConfigError
from tickerq_dashboard.access.tokens import TokenEntry

MAX_PAGE_SIZE = 200
MIN_SECRET_LENGTH = 16
LONGEST_NOTICE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be set besides who may look."""

    base_path: str = "/tickerq/dashboard"
    secret: str | bytes | None = None
    title: str = "TickerQ"
    environment: str = ""
    notice: str = ""
    page_size: int = 50
    permissions: Mapping[str, Collection[str]] | None = None
    api_tokens: Mapping[str, TokenEntry] | None = None
    allowed_hosts: Collection[str] = ()

    def __post_init__(self) -> None:
        path = self.base_path
        if not path.startswith("/") or any(mark in path for mark in "<>?#\\") or "//" in path:
            raise ConfigError("base_path", f"must be a plain path that begins with one slash, not {path!r}")
        if self.secret is not None and len(self.secret) < MIN_SECRET_LENGTH:
            raise ConfigError("secret", f"must have at least {MIN_SECRET_LENGTH} characters")
        if isinstance(self.allowed_hosts, str):
            raise ConfigError("allowed_hosts", "give a list of names")
        if len(self.notice) > LONGEST_NOTICE:
            raise ConfigError("notice", f"give a sentence of at most {LONGEST_NOTICE} characters")
        if not 1 <= self.page_size <= MAX_PAGE_SIZE:
            raise ConfigError("page_size", f"must be 1 to {MAX_PAGE_SIZE}, not {self.page_size}")

    @property
    def url_prefix(self) -> str:
        """Where the pages live, without a slash at the end; "/" is the root."""
        return self.base_path.rstrip("/") or "/"


def options_of(base_path: str, secret: str | bytes | None, given: Mapping[str, object]) -> Options:
    """Return the checked options, refusing one that does not exist by its name."""
    known = {each.name for each in fields(Options)}
    for name in given:
        if name not in known:
            raise ConfigError(name, "no such option of the dashboard")
    return Options(base_path=base_path, secret=secret, **given)  # type: ignore[arg-type]  # checked by name
