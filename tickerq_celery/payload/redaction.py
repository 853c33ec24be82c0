"""Secrets by their names: they are masked in what is shown to people."""

from collections.abc import Iterable, Mapping
from typing import Any

MASK = "•••"
SECRET_NAMES = (
    "password", "passwd", "passphrase", "secret", "token", "authorization", "api_key", "private_key",
)  # fmt: skip
# In a JSON schema what a value is or might be, not what it may be.
_VALUES = frozenset({"default", "examples", "example"})


def redacted(value: object, names: Iterable[str]) -> object:
    """Return a JSON value with what stands under a secret name masked, at any depth.

    A name is secret if it contains one of ``names``; case, ``_``, ``-`` and spaces do not matter.
    """
    return _redacted(value, [_plain(name) for name in names])


def redacted_schema(schema: Any, names: Iterable[str]) -> Any:
    """Return a JSON schema without the values, as defaults and examples, of properties with a secret name.

    What such a property refers to is secret with all below it; what values may be, of a type or of a choice,
    is not.
    """
    wanted = [_plain(name) for name in names]
    secret: set[str] = set()
    while True:
        known = len(secret)
        found = _schema(schema, wanted, secret, is_secret=False)
        # Else a definition was found to be secret, maybe after it was passed.
        if len(secret) == known:
            return found


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


def _schema(node: Any, names: list[str], secret: set[str], *, is_secret: bool) -> Any:
    """Return part of a schema, masked; ``secret`` are the references to definitions whose values all are."""
    if isinstance(node, list):
        return [_schema(each, names, secret, is_secret=is_secret) for each in node]
    if not isinstance(node, Mapping):
        return node
    if is_secret and isinstance(node.get("$ref"), str):
        secret.add(node["$ref"])
    found: dict[Any, Any] = {}
    for key, each in node.items():
        if key in _VALUES:
            masked = [MASK] if key == "examples" else MASK  # a schema has a list of them
            found[key] = masked if is_secret else _redacted(each, names)
        elif key == "$defs" and isinstance(each, Mapping):
            found[key] = {
                name: _schema(part, names, secret, is_secret=f"#/$defs/{name}" in secret)
                for name, part in each.items()
            }
        elif key == "properties" and isinstance(each, Mapping):
            found[key] = {
                name: _schema(part, names, secret, is_secret=is_secret or _is_secret(name, names))
                for name, part in each.items()
            }
        else:
            found[key] = _schema(each, names, secret, is_secret=is_secret)
    return found


def _is_secret(name: object, names: list[str]) -> bool:
    return isinstance(name, str) and any(each in _plain(name) for each in names)


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
