"""The tests' temporary files in memory, where the machine has enough: thousands of small databases are
committed, closed and removed, and none of them has to outlive the machine."""

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

MEMORY = Path("/dev/shm")
# A run of `make test` takes 0.3 GiB, a part of `make verify` 1 GiB.
ENOUGH = 4 * 2**30


def keep_files_in_memory(
    environ: MutableMapping[str, str] = os.environ, memory: Path = MEMORY, enough: int = ENOUGH
) -> None:
    """Let this process and its children make temporary files in ``memory``, unless TMPDIR says where.

    Nothing changes where there is no such file system, less than ``enough`` bytes are free, or no program may
    be run from it, as some tests write programs.
    """
    if "TMPDIR" in environ or not memory.is_dir():
        return
    found = os.statvfs(memory)
    if found.f_bavail * found.f_frsize >= enough and not found.f_flag & os.ST_NOEXEC:
        environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None
