"""At three in the morning, without a Python shell: find what failed, repeat it, and see who did what."""

import json
from functools import partial
from typing import Any

import pytest

from tests.acceptance.jobs import Jobs
from tests.acceptance.pairs import on_files_and_in_verify_on_redis
from tests.acceptance.waiting import wait_until

pytestmark = pytest.mark.acceptance


@pytest.mark.verify  # tests/integration has each of these commands
@on_files_and_in_verify_on_redis
def test_what_failed_is_found_repeated_and_done_and_the_audit_names_who_did_it(jobs: Jobs) -> None:
    jobs.worker(functions="mail")
    jobs.beat(functions="mail")

    def command(*arguments: str) -> str:
        code, output = jobs.command(*arguments, functions="mail")
        assert code == 0, output
        return output

    def items(*arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(command(*arguments, "--json"))["items"]
        return found

    added = {command("add", "Mail", "--as", "ann").strip() for _ in range(2)}
    which = ("--function", "Mail", "--error", "mail server", "--since", "1h")
    failed = partial(items, "runs", "--ended", *which)
    wait_until(lambda: {each["id"] for each in failed()} == added, jobs.logs)
    assert {each["exception_type"] for each in failed()} == {"ConnectionRefusedError"}

    (jobs.folder / "mended").touch()
    job = json.loads(
        command(
            "retry", *which, "--reason", "the mail server is back", "--as", "bob", "--yes", "--json",
        )
    )  # fmt: skip
    assert (job["state"], job["changed"], job["skipped"]) == ("done", 2, 0)
    done = partial(items, "runs", "--ended", "--function", "Mail", "--status", "done")
    wait_until(lambda: {each["id"] for each in done()} == added, jobs.logs)

    entries = [(entry["actor"], entry["action"], entry["reason"]) for entry in items("audit")]
    assert entries[:2] == [
        ("bob", "bulk.end", "the mail server is back"),
        ("bob", "bulk.start", "the mail server is back"),
    ]
    assert entries[2:4] == [("ann", "time_tickers.add", None)] * 2
