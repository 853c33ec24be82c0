import json
import sys
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tickerq_celery.errors import ConfigError, TickerValidationError, UnreadableRequestError
from tickerq_celery.payload.celery_call import CeleryCall
from tickerq_celery.payload.codec import OVERHEAD, Encoding, Packed, RequestCodec, StoredRequest
from tickerq_celery.payload.redaction import MASK, SECRET_NAMES, redacted
from tickerq_celery.payload.requests import encode
from tickerq_celery.views import TickerConfig

OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))
LONG = json.dumps(["the same words again"] * 100).encode()
SHORT = b'{"n":1}'


def codec(*keys: str, compress_over: int | None = 100) -> RequestCodec:
    return RequestCodec(compress_over=compress_over, keys=keys, redact=SECRET_NAMES)


@pytest.mark.parametrize(
    ("made", "data", "encoding"),
    [
        (codec(), SHORT, Encoding.JSON),
        (codec(), LONG, Encoding.ZLIB),
        (codec(compress_over=None), LONG, Encoding.JSON),
        (codec(compress_over=len(LONG)), LONG, Encoding.JSON),
        (codec(compress_over=0), SHORT, Encoding.JSON),
        (codec(NEW), SHORT, Encoding.FERNET),
        (codec(NEW), LONG, Encoding.ZLIB | Encoding.FERNET),
    ],
)
def test_a_request_comes_back_whatever_was_done_to_it(made: RequestCodec, data: bytes, encoding: int) -> None:
    packed = made.pack(data)
    assert packed.encoding == encoding
    assert made.unpack(packed) == data
    assert (data in (packed.data or b"")) is (encoding == Encoding.JSON)


def test_no_request_stays_none() -> None:
    assert codec(NEW).pack(None) == Packed(None, 0)
    assert codec().unpack(Packed(None, 0)) is None


def test_what_compression_makes_longer_is_kept_as_it_is() -> None:
    noise = bytes(range(256))
    assert codec(compress_over=0).pack(noise) == Packed(noise, Encoding.JSON)


def test_encryption_adds_no_more_than_the_column_has_room_for() -> None:
    packed = codec(NEW, compress_over=None).pack(LONG)
    assert len(packed.data or b"") - len(LONG) <= OVERHEAD


def test_after_a_new_key_old_requests_can_still_be_read() -> None:
    packed = codec(OLD).pack(SHORT)
    assert codec(NEW, OLD).unpack(packed) == SHORT
    assert codec(NEW).unpack(codec(NEW, OLD).pack(SHORT)) == SHORT


def test_a_process_with_keys_reads_what_was_stored_without() -> None:
    assert codec(NEW).unpack(codec().pack(LONG)) == LONG


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (codec(OTHER).pack(SHORT), "none of the tickerq_encryption_keys fits"),
        (Packed(b"short", Encoding.FERNET), "fits"),
        (Packed(b"no zlib", Encoding.ZLIB), "damaged"),
        (Packed((codec().pack(LONG).data or b"")[:-5], Encoding.ZLIB), "cut short"),
        (Packed(b"{}", 4), "encoding 4 is unknown"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_says_why(packed: Packed, reason: str) -> None:
    with pytest.raises(UnreadableRequestError, match=reason):
        codec(NEW).unpack(packed)


@pytest.mark.parametrize("data", [b'{"password": "s3cr', b"\xff\xfe", b"[" * 100_000, b""])
def test_damaged_json_is_unreadable_and_not_quoted_by_the_error(data: bytes) -> None:
    with pytest.raises(UnreadableRequestError, match=r"its JSON is damaged$") as caught:
        StoredRequest(Packed(data, Encoding.JSON), codec()).value  # noqa: B018 - it is a property
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("data", [b"[]", b"{}", b"{", b'{"args": null, "kwargs": {}, "options": {}}'])
def test_a_damaged_call_of_a_celery_task_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableRequestError):
        CeleryCall.decoded(data)


def test_an_encrypted_request_is_not_read_without_keys() -> None:
    with pytest.raises(UnreadableRequestError, match="has no tickerq_encryption_keys"):
        codec().unpack(codec(NEW).pack(SHORT))


def test_few_bytes_do_not_become_more_than_a_request_may_have() -> None:
    bomb = codec(compress_over=0).pack(b" " * (17 * 1024 * 1024))
    with pytest.raises(UnreadableRequestError, match="more than a request may"):
        codec().unpack(bomb)


@pytest.mark.parametrize("key", ["short", "x" * 44, "ü" * 44])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="tickerq_encryption_keys") as caught:
        TickerConfig(encryption_keys=[key])
    assert key not in str(caught.value)


def test_keys_without_the_extra_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python answers where a package is not there.
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    monkeypatch.delitem(sys.modules, "tickerq_celery.payload.encryption", raising=False)
    with pytest.raises(ConfigError, match=r"with the extra \[encryption\]"):
        codec(NEW)


@pytest.mark.parametrize(
    "settings",
    [
        {"encryption_keys": NEW},
        {"encryption_keys": [1]},
        {"redact": "token"},
        {"redact": [""]},
        {"compress_over": -1},
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"tickerq_{next(iter(settings))}"):
        TickerConfig(**settings)


def test_settings_do_not_show_their_keys() -> None:
    assert NEW not in repr(TickerConfig(encryption_keys=[NEW]))


def test_secrets_are_masked_by_name_at_any_depth() -> None:
    request = {"user": "ada", "Api-Key": "k", "list": [{"accessToken": "t", "n": 1}], "password_hash": None}
    assert redacted(request, SECRET_NAMES) == {
        "user": "ada", "Api-Key": MASK, "list": [{"accessToken": MASK, "n": 1}], "password_hash": MASK,
    }  # fmt: skip


def test_a_stored_request_is_shown_without_its_secrets_and_read_with_them() -> None:
    stored = StoredRequest(codec(NEW).pack(b'{"token":"t","n":1}'), codec(NEW))
    assert (stored.value, stored.shown) == ({"token": "t", "n": 1}, {"token": MASK, "n": 1})
    assert "t" not in str(stored.shown["token"])  # type: ignore[index]


@pytest.mark.parametrize(
    "request_",
    [
        {"password": "hunter2", "n": float("nan")},
        {"deep": {"password": b"\xff hunter2"}},
        {"password": "hunter2" * 9},
    ],
)
def test_an_error_about_a_request_does_not_show_its_secrets(request_: object) -> None:
    with pytest.raises(TickerValidationError) as caught:
        encode(request_, request_type=None, limit=10)
    assert "hunter2" not in str(caught.value)


def test_what_a_message_says_of_its_arguments_in_words_is_masked_in_what_is_shown() -> None:
    codec = RequestCodec(compress_over=None, keys=(), redact=("password",))
    request = {"kwargs": {"password": "x"}, "message": {"headers": {"kwargsrepr": "{'password': 'x'}"}}}
    masked = {"kwargs": {"password": MASK}, "message": {"headers": {"kwargsrepr": MASK}}}
    assert codec.shown(request) == masked
