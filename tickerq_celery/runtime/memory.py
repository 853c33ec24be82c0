"""How much memory a process holds, with the processes that it has started."""

import psutil


def memory_held() -> int | None:
    """Return the resident memory of this process and of all below it, in bytes; None if it cannot be read.

    A page that a child shares with its parent counts in both: to tell them apart, the kernel has to walk all
    pages, which takes seconds where there are many.
    """
    try:
        process = psutil.Process()
        return process.memory_info().rss + sum(map(_resident, process.children(recursive=True)))
    except (psutil.Error, OSError):
        return None


def _resident(child: psutil.Process) -> int:
    try:
        return child.memory_info().rss
    except psutil.NoSuchProcess:
        # It has ended meanwhile.
        return 0
