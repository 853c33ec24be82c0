"""How a signal ends what beat does: at once, after the batch, or after a while where that hangs."""

import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from tickerq_celery.beat import interruption
from tickerq_celery.beat.interruption import Interrupted, Interruption, within

SOON = 0.05
FOR_EVER = 30.0
HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "_AGAIN", SOON)


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """What the handlers that were there before are told."""
    numbers: list[int] = []
    before = {number: signal.signal(number, lambda each, _: numbers.append(each)) for number in HANDLED[:2]}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def alarms() -> Iterator[list[int]]:
    """What the application's own alarm clock is told."""
    numbers: list[int] = []
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    handler = signal.signal(signal.SIGALRM, lambda each, _: numbers.append(each))
    yield numbers
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


def hang() -> str:
    """Wait as for a server that never answers."""
    threading.Event().wait(FOR_EVER)
    raise AssertionError("nobody interrupted the wait")


def hang_when_told_to_end() -> str:
    signal.raise_signal(signal.SIGTERM)
    return hang()


def putting_off(interrupts: Interruption, work: Callable[[], str]) -> Callable[[], str]:
    def put_off() -> str:
        with interrupts.put_off():
            return work()

    return put_off


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_work_and_then_reaches_its_own_handler(number: int, heard: list[int]) -> None:
    steps: list[str] = []

    def work() -> str:
        steps.append("begun")
        signal.raise_signal(number)
        return "not reached"

    assert Interruption(patience=FOR_EVER).run(work, otherwise="ended") == "ended"
    assert steps == ["begun"]
    assert heard == [number]


def test_work_without_a_signal_is_left_alone(heard: list[int]) -> None:
    interrupts = Interruption(patience=SOON)
    assert interrupts.run(putting_off(interrupts, lambda: "done"), otherwise="ended") == "done"
    assert heard == []


def test_what_the_own_handler_raises_is_raised(heard: list[int]) -> None:
    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    with pytest.raises(SystemExit):
        Interruption(patience=FOR_EVER).run(hang_when_told_to_end, otherwise="ended")


def test_a_signal_waits_for_the_end_of_what_puts_it_off(heard: list[int]) -> None:
    steps: list[str] = []
    interrupts = Interruption(patience=FOR_EVER)

    def work() -> str:
        with interrupts.put_off():
            assert not interrupts.is_asked
            signal.raise_signal(signal.SIGTERM)
            assert interrupts.is_asked
            steps.append("the batch ended")
        return "not reached"

    assert interrupts.run(work, otherwise="ended") == "ended"
    assert steps == ["the batch ended"]
    assert not interrupts.had_to_force
    assert heard == [signal.SIGTERM]


def test_what_hangs_puts_a_signal_off_no_longer_than_the_patience(heard: list[int]) -> None:
    interrupts = Interruption(patience=SOON)
    work = putting_off(interrupts, hang_when_told_to_end)
    assert not interrupts.had_to_force
    assert interrupts.run(work, otherwise="ended") == "ended"
    assert interrupts.had_to_force
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize("is_put_off", [False, True])
def test_what_hangs_while_it_is_unwound_is_interrupted_again(is_put_off: bool, heard: list[int]) -> None:
    interrupts = Interruption(patience=SOON)
    unwound: list[str] = []

    def work() -> str:
        try:
            try:
                return hang_when_told_to_end()
            finally:
                unwound.append("rolls back")
                hang()
        finally:
            unwound.append("stamps")
            hang()

    interrupts.run(putting_off(interrupts, work) if is_put_off else work, otherwise="ended")
    assert unwound == ["rolls back", "stamps"]
    assert heard == [signal.SIGTERM]


def test_an_error_in_what_puts_a_signal_off_does_not_hide_the_signal(heard: list[int]) -> None:
    interrupts = Interruption(patience=FOR_EVER)

    def fail() -> str:
        signal.raise_signal(signal.SIGTERM)
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        interrupts.run(putting_off(interrupts, fail), otherwise="ended")
    assert heard == [signal.SIGTERM]


def test_handlers_and_alarms_are_as_before_afterwards(heard: list[int], alarms: list[int]) -> None:
    before = [signal.getsignal(number) for number in HANDLED]
    interrupts = Interruption(patience=SOON)
    for _ in range(2):
        interrupts.run(putting_off(interrupts, hang_when_told_to_end), otherwise="ended")
    with pytest.raises(Interrupted):
        within(SOON, hang)
    assert [signal.getsignal(number) for number in HANDLED] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert heard == [signal.SIGTERM, signal.SIGTERM]
    assert alarms == []


@pytest.mark.usefixtures("alarms")
def test_a_signal_at_the_very_end_of_the_work_leaves_no_alarm_behind(
    heard: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_away = interruption._Alarm.put_away

    def put_away_and_be_told_to_end(alarm: interruption._Alarm) -> None:
        put_away(alarm)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(interruption._Alarm, "put_away", put_away_and_be_told_to_end)
    assert Interruption(patience=SOON).run(lambda: "done", otherwise="ended") == "done"
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert heard == [signal.SIGTERM]


def test_a_signal_just_before_the_work_keeps_it_from_beginning(
    heard: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = signal.signal

    def handle_and_be_told_to_end(number: int, handler: Callable[[int, FrameType | None], None]) -> object:
        before = handle(number, handler)
        if handler == interrupts._hear:
            signal.raise_signal(number)
        return before

    interrupts = Interruption(patience=SOON)
    monkeypatch.setattr(interruption.signal, "signal", handle_and_be_told_to_end)
    assert interrupts.run(hang, otherwise="ended") == "ended"
    assert heard == [signal.SIGTERM]


def test_the_applications_own_alarm_rings_in_work_without_a_signal(alarms: list[int]) -> None:
    interrupts = Interruption(patience=SOON)

    def work() -> str:
        signal.setitimer(signal.ITIMER_REAL, SOON)
        threading.Event().wait(SOON * 4)
        return "done"

    assert interrupts.run(putting_off(interrupts, work), otherwise="ended") == "done"
    assert alarms == [signal.SIGALRM]


def test_the_applications_own_alarm_goes_on_after_a_time_limit(alarms: list[int]) -> None:
    signal.setitimer(signal.ITIMER_REAL, FOR_EVER)
    assert within(FOR_EVER, lambda: "done") == "done"
    assert FOR_EVER / 2 < signal.getitimer(signal.ITIMER_REAL)[0] <= FOR_EVER


def test_in_another_thread_nothing_is_heard_and_nothing_limited(heard: list[int]) -> None:
    done: list[bool] = []

    def work() -> str:
        done.append(within(SOON, lambda: threading.Event().wait(SOON * 2)))
        return "done"

    def in_thread() -> None:
        interrupts = Interruption(patience=SOON)
        interrupts.run(putting_off(interrupts, work), otherwise="ended")

    handlers = [signal.getsignal(number) for number in HANDLED]
    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join(FOR_EVER)
    assert done == [False]
    assert [signal.getsignal(number) for number in HANDLED] == handlers
