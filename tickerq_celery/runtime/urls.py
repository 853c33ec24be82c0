"""How the addresses of stores and brokers are shown: without what opens them."""

import re

from sqlalchemy.engine import URL

_HIDDEN = "***"
_SECRET_ARGUMENT = re.compile(
    r"(?<=[?&])((?:[\w.%-]*(?:password|passwd|passphrase|pwd|secret|token)[\w.%-]*|pass)=)[^&]*",
    re.IGNORECASE,
)
# From the first colon behind the scheme to the last sign: a password may hold any character, quoted or not.
_PASSWORD = re.compile(r"^(.*?://)?([^:]*):(.+)@", re.DOTALL)
# A semicolon elsewhere may be a character of a password.
_BETWEEN_BROKERS = re.compile(r";\s*(?=[\w.+-]+://)")


def shown_store(url: URL) -> str:
    """Return the store's address without passwords."""
    return _without_secret_arguments(url.render_as_string(hide_password=True))


def shown_broker(setting: object) -> str:
    """Return the addresses in a broker setting, without passwords; any value can be shown."""
    several = setting if isinstance(setting, list | tuple) else [setting]
    urls = [url for each in several for url in _BETWEEN_BROKERS.split(str(each))]
    hidden = (_PASSWORD.sub(rf"\1\2:{_HIDDEN}@", url) for url in urls)
    return ";".join(_without_secret_arguments(url) for url in hidden)


def _without_secret_arguments(text: str) -> str:
    return _SECRET_ARGUMENT.sub(rf"\1{_HIDDEN}", text)
