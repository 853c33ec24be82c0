"""A dashboard that is served over the showcase, and how to reach its pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask

from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds
from tests.dashboard.showcase import Showcase
from tickerq_dashboard import create_app


@dataclass(frozen=True)
class Served:
    """A dashboard over the showcase."""

    app: Flask
    base: str
    showcase: Showcase

    def address(self, name: str) -> str:
        """Return the whole address of a page."""
        return self.base + self.showcase.paths[name]


@contextmanager
def serving(seeds: Seeds, base: str, users: dict[str, tuple[str, str]]) -> Iterator[Served]:
    """Serve a small showcase, a page of which has few rows."""
    showcase = Showcase(seeds, runs=60)
    app = create_app(seeds.tickerq, users=users, page_size=12)
    with running(app) as [(host, port)]:
        yield Served(app, f"http://{host}:{port}{base}", showcase)
