"""The root of the error tree."""

from tickerq_celery.wording import remade


class TickerError(Exception):
    """Base of every error that this package raises."""

    def __reduce__(self) -> tuple[object, ...]:
        # A child process sends errors to its parent: a copy cannot be made from the text alone.
        return remade, (type(self), self.args, vars(self))
