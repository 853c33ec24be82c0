import os

from tickerq_celery.worker.cancel_flag import CancelFlag


def test_a_new_flag_was_never_set() -> None:
    assert CancelFlag().count == 0


def test_each_setting_is_counted_by_that_flag_alone() -> None:
    flag, other = CancelFlag(), CancelFlag()
    for _ in range(300):
        flag.set()
    assert (flag.count, other.count) == (300, 0)


def test_a_forked_child_sees_what_its_parent_sets_later() -> None:
    flag = CancelFlag()
    go_on, may_go_on = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(go_on, 1)
        os._exit(flag.count)
    flag.set()
    flag.set()
    os.write(may_go_on, b".")
    _, status = os.waitpid(child, 0)
    os.close(go_on)
    os.close(may_go_on)
    assert os.waitstatus_to_exitcode(status) == 2
