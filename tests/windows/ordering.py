"""Programs that place orders and die: at each of their lines, or at random in random transactions.

JOB_ORDERING says which: ``lines``, or ``random`` with the number of this process and how many transactions.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.windows.outbox_app import new_engine, send_receipt, store, tickerq

# In seconds: in such a time some transactions begin, commit and are published.
_LONGEST_LIFE = 0.3
_DEATHS = 0.2
_MOST_LINES = 30


def with_an_outbox(engine: Engine, order: str) -> None:
    """Place an order; its receipt commits with it."""
    with Session(engine) as session, session.begin():
        with tickerq.outbox(session):
            store(session, order)
            send_receipt.delay(order)
        session.flush()


def in_the_transaction(engine: Engine, order: str) -> None:
    """Place an order, and ask for its receipt as Celery alone does it: before the commit."""
    with Session(engine) as session, session.begin():
        store(session, order)
        send_receipt.delay(order)
        session.flush()


def after_the_commit(engine: Engine, order: str) -> None:
    """Place an order, and ask for its receipt as Celery alone does it: after the commit."""
    with Session(engine) as session, session.begin():
        store(session, order)
        session.flush()
    send_receipt.delay(order)


PROGRAMS: dict[str, Callable[[Engine, str], None]] = {
    "outbox": with_an_outbox,
    "before": in_the_transaction,
    "after": after_the_commit,
}


def kill_at_each_line() -> None:
    """Run each program again and again, killed one line later each time, until it lives to its end."""
    for name, program in PROGRAMS.items():
        for line in range(1, _MOST_LINES):
            if not _dies(lambda: _placed(program, f"{name}-{line}", line)):  # noqa: B023 - called here
                break
        else:
            raise AssertionError(f"{name} has more than {_MOST_LINES} lines")


def _placed(program: Callable[[Engine, str], None], order: str, line: int) -> None:
    left = line

    def trace(frame: FrameType, kind: str, argument: object) -> Any:
        nonlocal left
        if frame.f_code is not program.__code__:
            return None
        if kind == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    engine = new_engine()
    sys.settrace(trace)
    program(engine, order)


def run_at_random(process: str, count: int) -> None:
    """Run random transactions in children, one after the other: some die meanwhile."""
    done, progress = 0, os.open(f"progress-{process}", os.O_RDWR | os.O_CREAT)

    def transactions() -> None:
        engine = new_engine()
        for number in range(done, count):
            os.pwrite(progress, f"{number + 1:8}".encode(), 0)
            _transact(engine, f"{process}-{number}", random.Random(f"{process} {number}"))

    while done < count:
        _dies(transactions)
        done = int(os.pread(progress, 8, 0))


def _dies(work: Callable[[], None]) -> bool:
    """Do the work in a child; return True if it was killed."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - a child ends by its exit code
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code not in (0, -signal.SIGKILL):
        raise AssertionError(f"a child ended with {code}")
    return code != 0


class _UndoneError(Exception):
    """What is in the block is to be rolled back."""


def _transact(engine: Engine, name: str, drawn: random.Random) -> None:
    if drawn.random() < _DEATHS:
        life = drawn.uniform(0, _LONGEST_LIFE)
        threading.Thread(target=_die, args=(life,), daemon=True).start()
    with suppress(_UndoneError), Session(engine) as session, session.begin(), tickerq.outbox(session):
        _call_and_nest(session, name, drawn, depth=0)


def _call_and_nest(session: Session, name: str, drawn: random.Random, *, depth: int) -> None:
    for number in range(drawn.randint(1, 3)):
        own = f"{name}.{number}"
        if depth < 3 and drawn.random() < 0.3:
            with suppress(_UndoneError), session.begin_nested():
                _call_and_nest(session, own, drawn, depth=depth + 1)
        else:
            store(session, own)
            send_receipt.delay(own)
    if drawn.random() < 0.3:
        raise _UndoneError


def _die(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    way, *numbers = os.environ["JOB_ORDERING"].split()
    if way == "lines":
        kill_at_each_line()
    else:
        run_at_random(numbers[0], int(numbers[1]))
