"""What a reader sees of a page."""

import re
from html import unescape

THIN = "\u202f"


def text_of(html: str) -> str:
    """What a reader sees of a page, in one line."""
    return text_in(html.partition("<main")[2])


def text_in(part: str) -> str:
    """What a reader sees of a part of a page, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", part))).replace(THIN, " ")
