"""Encrypt requests with Fernet keys; imported where there are keys, and nowhere else: it takes 7 MB."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tickerq_celery.errors import UnreadableRequestError


class Cipher:
    """The first key encrypts, every key decrypts.

    Raises:
        ValueError, TypeError: A key is none.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, data: bytes) -> bytes:
        """Return what a row holds."""
        # A token is base64 of what it holds; the row holds that itself, which is a quarter shorter.
        return base64.urlsafe_b64decode(self._fernet.encrypt(data))

    def decrypt(self, data: bytes) -> bytes:
        """Return what was encrypted.

        Raises:
            UnreadableRequestError: No key fits, or the bytes are damaged.
        """
        try:
            return self._fernet.decrypt(base64.urlsafe_b64encode(data))
        except InvalidToken as error:
            raise UnreadableRequestError("none of the tickerq_encryption_keys fits") from error
