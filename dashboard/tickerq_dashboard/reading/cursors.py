"""Cursors in addresses: signed, so that none but ours reaches the store."""

from functools import cached_property
from hashlib import sha256

from itsdangerous import BadSignature, Signer

from tickerq_celery import TickerQ

SALT = "tickerq.cursor"


class CursorError(ValueError):
    """The cursor of an address is not one that a page of this dashboard gave."""


class Cursors:
    """Signs the cursors of lists, and opens those that were signed with the same secret.

    Without a secret of its own it takes the store's address, which holds a password and is the same in every
    process: a cursor is no right to anything, and shall only be one that we gave.
    """

    def __init__(self, secret: str | bytes | None, tickerq: TickerQ) -> None:
        self._secret, self._tickerq = secret, tickerq

    @cached_property
    def _signer(self) -> Signer:
        # Not when it is made: settings are read when they are first used.
        return Signer(self._secret or sha256(self._tickerq.store_url.encode()).digest(), salt=SALT, sep=".")

    def signed(self, cursor: str | None) -> str | None:
        """Return a cursor as an address carries it."""
        return None if cursor is None else self._signer.sign(cursor).decode("ascii")

    def opened(self, signed: str) -> str:
        """Return the cursor of an address.

        Raises:
            CursorError: It was not signed with this secret.
        """
        try:
            return self._signer.unsign(signed.encode("utf-8")).decode("utf-8")
        except (BadSignature, UnicodeError) as error:
            raise CursorError("the cursor is not one of this dashboard") from error
