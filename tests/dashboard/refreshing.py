"""Pages that refresh themselves, by a clock that the test alone moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import BrowserContext, Page

from tests.acceptance.waiting import wait_until

# In milliseconds: longer than any pause between two refreshes.
A_REFRESH = 80_000
# Of the tabs that show the same page, the one that holds a lock refreshes them all; a page that was left may
# still be listed as another holder of it.
HOLDS_THE_LOCK = """async () => {
    const held = async () => (await navigator.locks.query()).held;
    const own = await navigator.locks.request("of a test", held);
    const { clientId } = own.find((each) => each.name === "of a test");
    return (await held()).some((each) => each.clientId === clientId && each.name.startsWith("tq:"));
}"""


def stop_clock(context: BrowserContext) -> None:
    """Stop the clock of a context's pages, which is moved by ``run_for`` from then on.

    One that is only installed also goes on by itself, so that a busy machine has more timers come due.
    """
    now = datetime.now(UTC)
    context.clock.install(time=now)
    # In a page that is there already it goes on until it is paused, and it cannot be paused in its past.
    context.clock.pause_at(now + timedelta(hours=1))
    context.clock.set_system_time(now)


def wait_for_lead(page: Page) -> None:
    """Wait until it is this page that refreshes itself: it has no timer before that."""
    wait_until(lambda: page.evaluate(HOLDS_THE_LOCK), lambda: f"{page.url} does not refresh itself", 30)


def refresh(page: Page, is_so: Callable[[], bool], *, step: int = A_REFRESH) -> None:
    """Let the page refresh until something is so: the server answers for a second with what it knows.

    Its clock goes on by ``step`` milliseconds at a time.
    """
    for _ in range(60):
        page.clock.run_for(step)
        page.locator("#live:not([aria-busy])").wait_for()
        if is_so():
            return
    raise AssertionError("the page does not become so")
