"""Text of the store that cannot pass for other text: marks for characters that turn or hide what follows."""

import re
import unicodedata

from markupsafe import Markup, escape

# Bidirectional controls (UAX 9), zero-width characters, soft hyphens and tags: what Trojan Source is made of.
_ODD = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_ODD_OR_LONE = re.compile(f"{_ODD.pattern[:-1]}\ud800-\udfff]")
_BREAKS = re.compile(r"\r\n|\r|\n")


def visible(text: object, most: int | None = None) -> Markup:
    """Return a text, cut to ``most`` characters, with each odd character as a mark that names it."""
    whole = str(text)
    shown = whole if most is None or len(whole) <= most else f"{whole[:most]}\N{HORIZONTAL ELLIPSIS}"
    # No response can carry lone surrogates.
    clean = shown.encode("utf-8", "backslashreplace").decode("utf-8")
    if _ODD.search(clean) is None:  # as nearly all are
        return escape(clean)
    out, end = Markup(), 0
    for found in _ODD.finditer(clean):
        out += escape(clean[end : found.start()]) + _mark(found[0])
        end = found.end()
    return out + escape(clean[end:])


def one_line(text: object, most: int | None = None) -> Markup:
    """Return a text whose line breaks are marks, so that it stays within its row."""
    whole = str(text)
    cut = whole if most is None or len(whole) <= most else f"{whole[:most]}\N{HORIZONTAL ELLIPSIS}"
    return visible(_BREAKS.sub(" \N{DOWNWARDS ARROW WITH CORNER LEFTWARDS} ", cut))


def _mark(character: str) -> Markup:
    name = unicodedata.name(character, "control character").lower()
    return Markup('<span class="odd" title="{}">U+{:04X}</span>').format(name, ord(character))


def plain(text: object) -> str:
    """Return a text for a ``title``, where no mark can be: odd characters stand there by their numbers."""
    clean = str(text).encode("utf-8", "backslashreplace").decode("utf-8")
    return _ODD.sub(lambda found: f"<U+{ord(found[0]):04X}>", clean)


def escaped(text: str) -> str:
    """Return a text of JSON, of the same value, with its odd characters as JSON's own escapes."""
    return _ODD_OR_LONE.sub(lambda found: _units(found[0]), text)


def _units(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
