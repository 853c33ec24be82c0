"""How requests are kept: plain, compressed, encrypted, or both; each row says which."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tickerq_celery.deferred import Deferred
from tickerq_celery.errors import ConfigError, UnreadableRequestError
from tickerq_celery.payload.redaction import redacted, redacted_schema

if TYPE_CHECKING:
    from tickerq_celery.payload.encryption import Cipher
else:
    Cipher = Deferred("tickerq_celery.payload.encryption", "Cipher")

# What encryption adds to a request, at most: version, time, vector, padding, signature.
OVERHEAD = 128
_LONGEST = 16 * 1024 * 1024
# How many bytes a request may take as JSON, so that its row can hold it whatever was done to it.
LARGEST_REQUEST = _LONGEST - 1 - OVERHEAD
# More costs twice the time for a few per cent.
_LEVEL = 6
# What Celery's messages say of their arguments in words: no name in it could be masked.
_ARGUMENTS_AS_TEXT = ("argsrepr", "kwargsrepr")


class Encoding(IntFlag):
    """What was done to the JSON of a row, in this order."""

    JSON = 0
    ZLIB = 1
    FERNET = 2


_KNOWN = int(Encoding.ZLIB | Encoding.FERNET)


@dataclass(frozen=True, slots=True)
class Packed:
    """A request as its row holds it."""

    data: bytes | None
    encoding: int


NO_REQUEST = Packed(None, Encoding.JSON)


class RequestCodec:
    """Packs and unpacks requests; the first key encrypts, every key decrypts."""

    def __init__(self, *, compress_over: int | None, keys: Sequence[str], redact: Sequence[str]) -> None:
        self._compress_over = compress_over
        self._cipher = _cipher_of(keys)
        self._redact = (*redact, *_ARGUMENTS_AS_TEXT) if redact else ()

    def pack(self, data: bytes | None) -> Packed:
        """Return JSON as it is stored: compressed if that is shorter, encrypted where there are keys."""
        if data is None:
            return NO_REQUEST
        encoding = int(Encoding.JSON)
        if self._compress_over is not None and len(data) > self._compress_over:
            shorter = zlib.compress(data, _LEVEL)
            if len(shorter) < len(data):
                data, encoding = shorter, int(Encoding.ZLIB)
        if self._cipher is not None:
            data = self._cipher.encrypt(data)
            encoding |= Encoding.FERNET
        return Packed(data, encoding)

    def unpack(self, packed: Packed) -> bytes | None:
        """Return the JSON of a stored request.

        Raises:
            UnreadableRequestError: No key of this process fits, or the bytes are damaged.
        """
        data, encoding = packed.data, packed.encoding
        if data is None:
            return None
        if encoding & ~_KNOWN:
            raise UnreadableRequestError(f"its encoding {encoding} is unknown here")
        if encoding & Encoding.FERNET:
            data = self._decrypted(data)
        if encoding & Encoding.ZLIB:
            data = _inflated(data)
        return data

    def shown(self, value: object) -> object:
        """Return a request as people may see it."""
        return redacted(value, self._redact)

    def shown_schema(self, schema: Any) -> Any:
        """Return the JSON schema of requests as people may see it."""
        return redacted_schema(schema, self._redact)

    def _decrypted(self, data: bytes) -> bytes:
        if self._cipher is None:
            raise UnreadableRequestError("it is encrypted, and this process has no tickerq_encryption_keys")
        return self._cipher.decrypt(data)


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """The request of a row, unpacked when it is asked for."""

    packed: Packed
    codec: RequestCodec = field(repr=False, compare=False)

    @property
    def json(self) -> bytes | None:
        """The request as JSON; None where there is none."""
        return self.codec.unpack(self.packed)

    @property
    def value(self) -> object:
        """The request as plain JSON values; None where there is none.

        Raises:
            UnreadableRequestError: No key of this process fits, or the bytes are damaged.
        """
        text = self.json
        return None if text is None else value_in(text)

    @property
    def shown(self) -> object:
        """The request with its secrets masked."""
        return self.codec.shown(self.value)


def value_in(data: bytes) -> Any:
    """Return the plain JSON values of an unpacked request.

    Raises:
        UnreadableRequestError: It is no JSON.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        # Not the parser's own error, which holds the request as it is, with what `redact` would mask.
        raise UnreadableRequestError("its JSON is damaged") from None


@lru_cache(maxsize=16)
def codec_of(compress_over: int | None, keys: tuple[str, ...], redact: tuple[str, ...]) -> RequestCodec:
    """Return the codec of these settings.

    Raises:
        ConfigError: A key is none, or the extra ``encryption`` is not installed.
    """
    return RequestCodec(compress_over=compress_over, keys=keys, redact=redact)


def _cipher_of(keys: Sequence[str]) -> "Cipher | None":
    if not keys:
        return None
    try:
        return Cipher(keys)
    except ImportError as error:
        raise ConfigError(
            "tickerq_encryption_keys", "this needs tickerq-celery installed with the extra [encryption]"
        ) from error
    except (ValueError, TypeError):
        # Not shown, nor the error that may quote it.
        raise ConfigError(
            "tickerq_encryption_keys", "pass keys as Fernet.generate_key() of cryptography makes them"
        ) from None


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        # Bounded, so that few bytes in the store cannot take all memory of a worker.
        inflated = stream.decompress(data, _LONGEST)
    except zlib.error as error:
        raise UnreadableRequestError("its compressed bytes are damaged") from error
    if not stream.eof:
        raise UnreadableRequestError("its compressed bytes are cut short, or hold more than a request may")
    return inflated
