"""The same tests in the same order in every process: one that differs ends a run on several at its start."""

import subprocess
import sys

import pytest

from tests.nested import ROOT, environment

pytestmark = pytest.mark.verify


def collected(hash_seed: str) -> list[str]:
    command = (sys.executable, "-m", "pytest", "--collect-only", "-o", "addopts=-q")
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=environment(PYTHONHASHSEED=hash_seed, PROOF="1"),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [line for line in run.stdout.splitlines() if "::" in line]


def test_the_order_in_which_sets_are_walked_changes_no_test() -> None:
    # Under these two, the members of a set of three words stand in another order.
    first, second = collected("0"), collected("1")
    assert len(first) > 5_000
    assert first == second
