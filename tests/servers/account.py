"""The user that a server runs as."""

import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user to run as; ``uid`` is None where the tests' own user does."""

    uid: int | None = None
    gid: int | None = None

    def popen_arguments(self) -> dict[str, Any]:
        """Return what ``subprocess.Popen`` needs to run a process as this user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def make_folder(self, prefix: str) -> Path:
        """Make a temporary folder that belongs to this user."""
        if self.uid is None or self.gid is None:
            return Path(tempfile.mkdtemp(prefix=prefix))
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=self._open_folder()))
        self.own(folder)
        return folder

    @staticmethod
    def _open_folder() -> str:
        # Root's own TMPDIR may be closed to every other account.
        chosen = tempfile.gettempdir()
        return chosen if Path(chosen).stat().st_mode & stat.S_IXOTH else "/tmp"

    def own(self, path: Path) -> None:
        """Hand a file or folder over to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def run(self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> str:
        """Run a program to its end and return what it printed; its words are in the error if it fails."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=dict(environment),
            timeout=120,
            check=False,
            **self.popen_arguments(),
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed with {done.returncode}:\n{done.stdout}")
        return done.stdout


def account_for(preferred: str) -> Account:
    """Return an account that is not root: ``preferred`` if the machine has it, else ``nobody``."""
    if os.geteuid() != 0:
        return Account()
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get(preferred) or names["nobody"]
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
