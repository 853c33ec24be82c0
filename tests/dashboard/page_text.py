"""What a reader sees of a page."""

import re
from html import unescape

THIN = "\u202f"


def text_of(html: str) -> str:
    """What a reader sees of a page, in one line."""
    body = html.partition("<main")[2]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", body))).replace(THIN, " ")
