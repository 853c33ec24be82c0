import os

from tickerq_celery.worker.cancellation import Bell


def test_a_bell_that_has_not_rung_says_so() -> None:
    assert Bell().rings == 0


def test_each_ring_is_counted_by_that_bell_alone() -> None:
    bell, other = Bell(), Bell()
    for _ in range(300):
        bell.ring()
    assert (bell.rings, other.rings) == (300, 0)


def test_a_forked_child_hears_what_its_parent_rings_later() -> None:
    bell = Bell()
    go_on, may_go_on = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(go_on, 1)
        os._exit(bell.rings)
    bell.ring()
    bell.ring()
    os.write(may_go_on, b".")
    _, status = os.waitpid(child, 0)
    os.close(go_on)
    os.close(may_go_on)
    assert os.waitstatus_to_exitcode(status) == 2
