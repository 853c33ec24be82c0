"""Pages of a list, as a person goes through them."""

from collections.abc import Callable
from typing import Any, TypeVar

from tickerq_celery.views import Listing

T = TypeVar("T")


def walked(
    listed: Callable[..., Listing[T]], *, is_back: bool = False, cursor: str | None = None, **keywords: Any
) -> list[Listing[T]]:
    """Return all pages that ``listed`` returns from a cursor on, or from the first."""
    pages = [listed(cursor=cursor, **keywords)]
    while (onward := pages[-1].previous_cursor if is_back else pages[-1].next_cursor) is not None:
        pages.append(listed(cursor=onward, **keywords))
    return pages
