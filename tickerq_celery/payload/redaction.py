"""Secrets by their names: they are masked in what is shown to people."""

from collections.abc import Iterable, Mapping

MASK = "•••"
SECRET_NAMES = (
    "password", "passwd", "passphrase", "secret", "token", "authorization", "api_key", "private_key",
)  # fmt: skip


def redacted(value: object, names: Iterable[str]) -> object:
    """Return a JSON value with what stands under a secret name masked, at any depth.

    A name is secret if it contains one of ``names``; case, ``_``, ``-`` and spaces do not matter.
    """
    return _redacted(value, [_plain(name) for name in names])


def discreet(path: Iterable[str], value: object) -> object:
    """Return what an error may show of the value at ``path`` of a request: errors go to logs."""
    names = [_plain(name) for name in SECRET_NAMES]
    if any(_is_secret(part, names) for part in path):
        return MASK
    return _redacted(value, names) if isinstance(value, dict | list) else value


def _redacted(value: object, names: list[str]) -> object:
    if isinstance(value, Mapping):
        return {
            key: MASK if _is_secret(key, names) else _redacted(each, names) for key, each in value.items()
        }
    if isinstance(value, list):
        return [_redacted(each, names) for each in value]
    return value


def _is_secret(name: object, names: list[str]) -> bool:
    return isinstance(name, str) and any(each in _plain(name) for each in names)


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
