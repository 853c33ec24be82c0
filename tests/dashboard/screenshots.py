"""Take pictures of the dashboard: of every page with ``make screenshots``, of four with ``make pictures``."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.dashboard.browsing import SCHEMES
from tests.dashboard.running import running
from tests.dashboard.seeds import Seeds, settle
from tests.dashboard.showcase import Showcase
from tickerq_dashboard import User, create_app

SIZES = {1280: 900, 390: 844}
BASE = "/tickerq/dashboard"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
# What the README shows, and where.
OF_README = ("overview", "runs-history", "run-failed", "cron-edit")
FOLDER_OF_README = Path("docs/pictures")


class Camera:
    """Opens pages of a dashboard over the showcase."""

    def __init__(self, browser: Browser, base: str, shown: Showcase) -> None:
        self._browser, self._base, self._shown = browser, base, shown
        self.names = tuple(shown.paths)

    @contextmanager
    def page(self, scheme: str, width: int) -> Iterator[Callable[[str], Page]]:
        """Give what opens a page by its name, in a theme and a width."""
        context = self._browser.new_context(
            viewport={"width": width, "height": SIZES[width]},
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="UTC",
        )
        context.add_cookies([{"name": "tq_zone", "value": "Europe/Berlin", "url": self._base}])
        page = context.new_page()

        def opened(name: str) -> Page:
            self._shown.beat()
            page.goto(self._base + self._shown.paths[name])
            # On a busy machine the first answer does not wait for the banner's report.
            settle()
            page.reload()
            return page

        yield opened
        context.close()


@contextmanager
def camera() -> Iterator[Camera]:
    """Give a camera, with a store and a server that end with it."""
    with tempfile.TemporaryDirectory() as own:
        seeds = Seeds(f"sqlite:///{own}/tickers.db")
        seeds.tickerq.create_schema()
        shown = Showcase(seeds)
        app = create_app(
            seeds.tickerq,
            auth=lambda request: User(name="ann", role="admin"),
            secret="0123456789abcdef",
            title="TickerQ",
            page_size=40,
        )
        with running(app) as [(host, port)], sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
            )
            yield Camera(browser, f"http://{host}:{port}{BASE}", shown)
            browser.close()
        seeds.close()


def take_all(folder: Path, names: list[str]) -> None:
    """Take every page, or those that are named, whole, at both widths and in both themes."""
    with camera() as ready:
        for width in SIZES:
            for scheme in SCHEMES:
                with ready.page(scheme, width) as opened:
                    for name in names or ready.names:
                        opened(name).screenshot(
                            path=folder / f"{name}-{scheme}-{width}.png",
                            full_page=name != "overview" or width < 640,
                        )


def take_those_of_readme(folder: Path) -> None:
    """Take what the README shows: the upper part of four pages."""
    with camera() as ready, ready.page("light", 1280) as opened:
        for name in OF_README:
            shot = Image.open(BytesIO(opened(name).screenshot()))
            # A third of the bytes, and no difference that one sees.
            few = shot.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(folder / f"dashboard-{name}-light-1280.png", optimize=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["readme"]:
        take_those_of_readme(FOLDER_OF_README)
    else:
        chosen = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")
        chosen.mkdir(parents=True, exist_ok=True)
        take_all(chosen, sys.argv[2:])
