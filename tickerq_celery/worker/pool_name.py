"""What a worker's tasks run in, by the name that Celery's command line has for it."""

from tickerq_celery import validation

_LONGEST = 100
_NAMES = {
    "celery.concurrency.prefork": "prefork",
    "celery.concurrency.thread": "threads",
    "celery.concurrency.solo": "solo",
    "celery.concurrency.gevent": "gevent",
    "celery.concurrency.eventlet": "eventlet",
}


def pool_name(pool_class: type) -> str:
    """Return the name of a worker's pool: prefork, threads, solo, gevent, eventlet, or that of its class.

    A pool that extends one of Celery's own has that one's name: it does what that does.
    """
    for each in pool_class.__mro__:
        if each.__module__ in _NAMES:
            return _NAMES[each.__module__]
    return validation.storable(f"{pool_class.__module__}.{pool_class.__qualname__}", _LONGEST)
