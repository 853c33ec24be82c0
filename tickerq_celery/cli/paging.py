"""The options by which a command goes through a list that has pages."""

from collections.abc import Callable
from typing import TypeVar

import click

T = TypeVar("T")
_OPTIONS = (
    click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many."),
    click.option("--cursor", help="Go on where a page ended."),
    click.option("--all", "is_all", is_flag=True, help="All pages."),
)


def page_options(body: Callable[..., T]) -> Callable[..., T]:
    """Give a command ``--limit``, ``--cursor`` and ``--all``, as ``limit``, ``cursor`` and ``is_all``."""
    for option in reversed(_OPTIONS):
        body = option(body)
    return body
