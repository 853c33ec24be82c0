"""What the sender of a form had seen: a digest of each field, so that only what was changed there is written.

It makes the same form mean the same however often it is sent, whatever is stored by then.
"""

import json
from collections.abc import Collection, Mapping
from hashlib import sha256

_CHAIN = "children."
# Fields that mean something together only.
_OF_WHEN = frozenset({"when", "delay", "at", "zone", "pass"})
_EMPTY = ""
Digests = Mapping[str, str]


def digests_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Return what a form carries along of the texts that it shows."""
    return {name: _digest(text) for name, text in texts.items() if text.strip()}


def written(seen: Digests) -> str:
    """Return digests as the text of one field."""
    return json.dumps(seen, separators=(",", ":"))


def read(text: str) -> dict[str, str] | None:
    """Return the digests of a field's text; None where it holds none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(found, dict) and all(isinstance(each, str) for each in found.values())
    return found if is_ours else None


def changed_names(seen: Digests, sent: Mapping[str, str]) -> set[str]:
    """Return the fields that differ; one that was not sent is as it was, but of a chain it is gone."""
    return {
        name
        for name in {*seen, *sent}
        if (name in sent or name.startswith(_CHAIN)) and _digest(sent.get(name, "")) != seen.get(name, _EMPTY)
    }


def merged(theirs: Mapping[str, str], mine: Mapping[str, str], changed: Collection[str]) -> dict[str, str]:
    """Return what another one has stored meanwhile, with the fields that this sender changed."""
    keeps_chain = any(name.startswith(_CHAIN) for name in changed)
    keeps_when = bool(_OF_WHEN & set(changed))

    def is_mine(name: str) -> bool:
        if name.startswith(_CHAIN):
            return keeps_chain
        return name in changed or (keeps_when and name in _OF_WHEN)

    kept = {name: text for name, text in theirs.items() if not is_mine(name)}
    return kept | {name: text for name, text in mine.items() if is_mine(name) or name not in theirs}


def _digest(text: str) -> str:
    stripped = text.strip()
    return sha256(stripped.encode("utf-8", "backslashreplace")).hexdigest()[:12] if stripped else _EMPTY
