"""A row of the route table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel
from werkzeug.wrappers import Response

from tickerq_dashboard.access.roles import Permission

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address of the dashboard.

    Args:
        method: The HTTP method; GET answers HEAD too, and changes nothing.
        path: The address below the base path, as a rule of Werkzeug.
        name: Flask's endpoint, for ``url_for``.
        permission: What the visitor must be allowed; None is open to everyone, without a log-in.
        handler: Called with the visit, then ``query`` and ``command`` as keywords where the row has a model
            for them, then the parts of the path; returns HTML or a response.
        query: The model of what stands after the question mark.
        command: The model of what is sent in the body.
        answer: The model of the JSON that is returned; None is a page, or no content.
        status: The HTTP status of that answer.
        audit: The action as which a refusal is recorded.
    """

    method: Method
    path: str
    name: str
    permission: Permission | None
    handler: Callable[..., str | Response]
    query: type[BaseModel] | None = None
    command: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    audit: str | None = None

    def __post_init__(self) -> None:
        if self.is_unsafe and self.permission is None:
            raise ValueError(f"{self.name}: what changes something needs a permission")
        if self.command is not None and not self.is_unsafe:
            raise ValueError(f"{self.name}: {self.method} has no body")

    @property
    def is_api(self) -> bool:
        """Whether it answers programs, by JSON."""
        return self.path.startswith("/api/")

    @property
    def is_unsafe(self) -> bool:
        """Whether a request may change something."""
        return self.method not in SAFE
