"""What the demo needs before it starts anything: an environment for its processes, and ports."""

import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from examples.notifications.listening import listen

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
# Eight lines from Celery to people who are root, as in a container; they hide what happens.
NO_ROOT_WARNING = "ignore:You're running the worker with superuser privileges"


class DemoError(Exception):
    """Why the demo cannot start or go on, in one line."""


def demo_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the demo's processes: short waits, and no servers unless they are named."""
    servers = [name for name in ("BROKER_URL", "STORE_URL") if environ.get(name)]
    if len(servers) == 1:
        raise DemoError(f"only {servers[0]} is set: set BROKER_URL and STORE_URL, or neither of them")
    # Celery takes this one before the app's own broker.
    inherited = {name: value for name, value in environ.items() if name != "CELERY_BROKER_URL"}
    paths = [str(ROOT), str(ROOT / "dashboard"), environ.get("PYTHONPATH", "")]
    return {
        "WELCOME_DELAY_SECONDS": "5",
        "RETRY_INTERVALS": "3,300,900",
        **inherited,
        **({} if servers else {"TICKERQ_EMBEDDED": "1"}),
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": NO_ROOT_WARNING,
        "SHORT_LOGS": "1",
        "SMTP_HOST": LOOPBACK,
        "SMTP_PORT": str(free_port()),
    }


@contextmanager
def only_demo_in(folder: Path) -> Iterator[None]:
    """Keep a second demo from sharing this one's store, broker and mail; raise a DemoError if one runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            hint = f"end it, or name another folder, for example: DEMO_FOLDER={folder}-2 make demo"
            raise DemoError(f"another demo uses {folder}: {hint}") from exc
        yield


def free_port() -> int:
    """Return a port of this machine that no process listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def check_port(host: str, port: int) -> None:
    """Raise a DemoError if the web app could not listen there."""
    try:
        probes = listen(host, port)
    except OSError as exc:
        hint = f"choose another one, for example: make demo PORT={another_port(port)}"
        raise DemoError(f"port {port} cannot be used: {exc.strerror}; {hint}") from exc
    for probe in probes:
        probe.close()


def another_port(port: int) -> int:
    """Return a port to suggest instead of this one."""
    return port + 1 if 1024 <= port < 65535 else 8001


def is_listening(host: str, port: int) -> bool:
    """Return True if something accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
