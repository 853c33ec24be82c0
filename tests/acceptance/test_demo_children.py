"""How the demo's processes end with one another, with children that do nothing."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.waiting import wait_until
from tests.pages import ROOT
from tests.servers.ports import free_port

PYTHON = (sys.executable, "-S", "-E", "-c")
SLEEP = (*PYTHON, "import os, time; print(os.getpid(), flush=True); time.sleep(60)")
DIE = (*PYTHON, "import os; os.kill(os.getpid(), 9)")
DEMO = """
import sys
from examples.notifications import demo
demo.MIGRATE, demo.COMMANDS = {migrate}, {commands}
demo.main()
"""
PARENT = """
import sys
from pathlib import Path
from examples.notifications.children import Child
show = lambda _, line: print(line, flush=True)
child = Child("sleeps", sys.argv[1:], folder=Path("/"), environ={}, show=show)
while child.exit_code is None:
    child.show_output()
"""


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_a_process_that_dies_ends_all_others_with_one_clear_line(tmp_path: Path, name: str) -> None:
    program = DEMO.format(migrate=(*PYTHON, ""), commands={"mail": SLEEP, "web": SLEEP, name: DIE})
    environ = {**os.environ, "DEMO_FOLDER": str(tmp_path), "PORT": str(free_port())}
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == f"demo: {name} ended by itself (signal 9), so everything stops\n"
    printed = ended.stdout.splitlines()
    assert printed[-1] == "all processes have ended"
    pids = [int(line.split()[1]) for line in printed if line.startswith(("[mail]", "[web]"))]
    assert [pid for pid in pids if lives(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel ends children with their parent")
def test_children_end_with_a_demo_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *SLEEP], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert lives(child)
        parent.kill()
        wait_until(lambda: not lives(child), lambda: f"process {child} lives")
