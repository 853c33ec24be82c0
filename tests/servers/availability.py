"""Skips tests whose service is missing, or fails them where services are required, and says so at the end."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.services import SERVICES, Service

MISSING = pytest.StashKey[dict[str, None]]()


def require_service(config: pytest.Config, service: Service) -> None:
    """Skip the test that runs if the service is missing; fail it if TICKERQ_REQUIRE_SERVICES is 1."""
    missing = service.missing()
    if missing is None:
        return
    config.stash.setdefault(MISSING, {})[missing] = None
    if os.environ.get("TICKERQ_REQUIRE_SERVICES") == "1":
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def require(config: pytest.Config, kind: str) -> None:
    """Skip or fail the test that runs if a service of ``SERVICES`` is missing."""
    require_service(config, SERVICES[kind])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Notify the process that prints the summary, where this one is a worker of pytest-xdist."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["missing"] = list(session.config.stash.get(MISSING, {}))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Receive what a worker of pytest-xdist was missing."""
    missing = getattr(node, "workeroutput", {}).get("missing", [])
    node.config.stash.setdefault(MISSING, {}).update(dict.fromkeys(missing))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say, after everything else, which services were missing and how to get them."""
    yield
    missing = terminalreporter.config.stash.get(MISSING, {})
    if missing:
        terminalreporter.section("tests were left out for want of", sep="-")
        for line in missing:
            terminalreporter.line(line)
