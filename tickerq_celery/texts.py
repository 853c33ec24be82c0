"""Texts that come from a user's code, made storable: errors, reasons, progress, log lines."""


def storable(text: str, limit: int) -> str:
    """Return ``text`` as every database can keep it: no NUL, no lone surrogate, at most ``limit`` long."""
    text = clean(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def clean(text: str) -> str:
    """Return ``text`` without what a database or a response cannot carry."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")
