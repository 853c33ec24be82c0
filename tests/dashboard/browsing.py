"""A real browser that is logged in, and all that it complains of."""

from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page

from tests.dashboard.conftest import PASSWORD

# Chromium's word for a page that it shows at once instead of fading it in.
NO_FADE = "Transition was aborted"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def logged_in(
    browser: Browser, *, script: bool = True, bypass_csp: bool = False, user: str = "admin"
) -> BrowserContext:
    return browser.new_context(
        java_script_enabled=script,
        bypass_csp=bypass_csp,
        http_credentials={"username": user, "password": PASSWORD},
    )


def watched(page: Page) -> list[str]:
    """Every complaint of a page: errors, blocked content, requests that leave this machine."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)) if NO_FADE not in str(error) else None)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: complaints.append("a dialog opened"))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith("http://127.0.0.1:") else complaints.append(f"asked {request.url}")
        ),
    )
    return complaints
