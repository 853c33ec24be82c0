"""Passwords: what hashes are accepted, and that a trial costs the same for any name."""

import threading
from hashlib import scrypt
from typing import Any

import pytest
from argon2 import PasswordHasher
from werkzeug.security import generate_password_hash

from tests.dashboard.conftest import BASE, PASSWORD, QUICK_HASH, basic
from tests.dashboard.seeds import Seeds
from tickerq_celery.errors import ConfigError
from tickerq_dashboard import create_app
from tickerq_dashboard.access import hashing
from tickerq_dashboard.access.accounts import Account
from tickerq_dashboard.access.credentials import HashSlots, PasswordCheck, VerifiedCredentials
from tickerq_dashboard.access.hashing import fits, kind_of, no_password
from tickerq_dashboard.access.refusals import TooManyFailuresError, TooManyLoginsError, WrongPasswordError
from tickerq_dashboard.access.throttle import Throttle

QUICK_ARGON2 = PasswordHasher(time_cost=5, memory_cost=7168, parallelism=1).hash(PASSWORD)
SCRYPT = generate_password_hash(PASSWORD, method="scrypt:16384:8:1")


@pytest.mark.parametrize("password_hash", [SCRYPT, QUICK_ARGON2], ids=["scrypt", "argon2id"])
def test_strong_hashes_of_each_kind_log_in(seeds: Seeds, strong_hashes: None, password_hash: str) -> None:
    client = create_app(seeds.tickerq, users={"ann": password_hash}).test_client()
    assert client.get(BASE, headers=basic("ann", "wrong")).status_code == 401
    assert client.get(f"{BASE}/livez", headers=basic("ann", PASSWORD)).status_code == 200
    assert client.get(f"{BASE}/static/icon.svg", headers=basic("ann", PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    "password_hash",
    [
        "pbkdf2:sha256:1$salt$" + "0" * 64,
        "pbkdf2:sha256:99999$salt$" + "0" * 64,
        "pbkdf2:sha1:1000000$salt$" + "0" * 40,
        "scrypt:8192:8:1$salt$" + "0" * 128,
        "$argon2id$v=19$m=1024,t=5,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=7168,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    ],
)
def test_a_hash_that_is_quick_to_guess_is_refused(strong_hashes: None, password_hash: str) -> None:
    with pytest.raises(ConfigError, match="too quick to guess") as refusal:
        Account(name="ann", password_hash=password_hash)
    assert password_hash not in str(refusal.value)


def test_an_argon2_hash_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "HAS_ARGON2", False)
    with pytest.raises(ConfigError, match="argon2-cffi"):
        Account(name="ann", password_hash=QUICK_ARGON2)


@pytest.mark.parametrize(
    "password_hash", [SCRYPT, QUICK_HASH, QUICK_ARGON2], ids=["scrypt", "pbkdf2", "argon2id"]
)
def test_the_hash_of_no_password_is_of_the_same_kind_and_fits_none(password_hash: str) -> None:
    stand_in = no_password(password_hash)
    assert kind_of(stand_in) == kind_of(password_hash)
    assert [len(each) for each in stand_in.split("$")[-1:]] == [
        len(each) for each in password_hash.split("$")[-1:]
    ]
    assert not fits(stand_in, PASSWORD)


def check_of(monkeypatch: pytest.MonkeyPatch, **hashes: str) -> tuple[PasswordCheck, list[str]]:
    """Return a check over these accounts, and the kinds of hashes that it computes."""
    accounts = {name: Account(name=name, password_hash=each) for name, each in hashes.items()}
    check = PasswordCheck(accounts, Throttle())
    computed: list[str] = []

    def counted(password_hash: str, password: str) -> bool:
        computed.append(kind_of(password_hash))
        return password_hash in hashes.values() and password == PASSWORD

    monkeypatch.setattr("tickerq_dashboard.access.credentials.fits", counted)
    return check, computed


def test_each_trial_computes_one_hash_of_each_kind_for_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = {"ann": SCRYPT, "bob": QUICK_HASH, "cleo": QUICK_ARGON2, "dan": QUICK_HASH}
    check, computed = check_of(monkeypatch, **hashes)
    for name in (*hashes, "nobody"):
        computed.clear()
        with pytest.raises(WrongPasswordError):
            check.account(name, "wrong", f"10.0.0.{len(name)}")
        assert sorted(computed) == sorted(map(kind_of, (SCRYPT, QUICK_HASH, QUICK_ARGON2))), name


def test_a_password_opens_only_the_account_that_it_belongs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    bob = generate_password_hash("bobs", method="pbkdf2:sha256:1")
    accounts = {
        "ann": Account(name="ann", password_hash=SCRYPT),
        "bob": Account(name="bob", password_hash=bob),
    }
    check = PasswordCheck(accounts, Throttle())
    assert check.account("ann", PASSWORD, None).name == "ann"
    for name, password in (("bob", PASSWORD), ("ann", "bobs"), ("nobody", PASSWORD)):
        with pytest.raises(WrongPasswordError):
            check.account(name, password, None)


def test_who_works_on_stays_verified_however_long_others_guess_from_the_same_address() -> None:
    now = [1000.0]
    check = PasswordCheck(
        {"ann": Account(name="ann", password_hash=QUICK_HASH)},
        Throttle(monotonic=lambda: now[0]),
        verified=VerifiedCredentials(monotonic=lambda: now[0]),
    )
    assert check.account("ann", PASSWORD, "10.0.0.1")
    for minute in range(30):
        now[0] += 60
        with pytest.raises((WrongPasswordError, TooManyFailuresError)):
            check.account("ann", f"wrong {minute}", "10.0.0.1")
        assert check.account("ann", PASSWORD, "10.0.0.1")
    now[0] += 301
    with pytest.raises(WrongPasswordError):
        check.account("ann", "wrong", "10.0.0.1")
    with pytest.raises(TooManyFailuresError):
        check.account("ann", PASSWORD, "10.0.0.1")


def test_another_hash_of_the_same_name_is_not_verified_yet() -> None:
    verified = VerifiedCredentials()
    other = generate_password_hash("other", method="pbkdf2:sha256:1")
    before = PasswordCheck(
        {"ann": Account(name="ann", password_hash=QUICK_HASH)}, Throttle(), verified=verified
    )
    assert before.account("ann", PASSWORD, None)
    after = PasswordCheck({"ann": Account(name="ann", password_hash=other)}, Throttle(), verified=verified)
    with pytest.raises(WrongPasswordError):
        after.account("ann", PASSWORD, None)


def test_two_passwords_are_hashed_at_once_four_wait_and_others_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lock, leave = threading.Lock(), threading.Event()
    inside, most = 0, 0
    two_inside, six_in = threading.Barrier(3), threading.Semaphore(0)

    def slow(password_hash: str, password: str) -> bool:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        if not leave.is_set():
            two_inside.wait(30)
        leave.wait(30)
        with lock:
            inside -= 1
        return False

    check = PasswordCheck(
        {"ann": Account(name="ann", password_hash=QUICK_HASH)}, Throttle(), slots=HashSlots(wait_timeout=30)
    )
    monkeypatch.setattr("tickerq_dashboard.access.credentials.fits", slow)
    outcomes: list[type[Exception]] = []

    def attempt(number: int) -> None:
        try:
            check.account("ann", f"wrong {number}", f"10.0.0.{number}")
        except (WrongPasswordError, TooManyLoginsError) as error:
            outcomes.append(type(error))
        finally:
            six_in.release()

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    two_inside.wait(30)
    for _ in range(14):
        six_in.acquire()
    assert outcomes == [TooManyLoginsError] * 14
    leave.set()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes[14:])) == [str(WrongPasswordError)] * 6
    assert most == 2


def test_a_trial_that_found_no_slot_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = HashSlots(at_once=1, in_queue=0)
    check = PasswordCheck({"ann": Account(name="ann", password_hash=QUICK_HASH)}, Throttle(), slots=slots)
    with slots.taken():
        for _ in range(10):
            with pytest.raises(TooManyLoginsError):
                check.account("ann", PASSWORD, "10.0.0.1")
    assert check.account("ann", PASSWORD, "10.0.0.1").name == "ann"


def test_a_slot_that_does_not_come_free_in_time_is_a_refusal() -> None:
    slots = HashSlots(at_once=1, in_queue=1, wait_timeout=0.001)
    with slots.taken(), pytest.raises(TooManyLoginsError), slots.taken():
        pass
    with slots.taken():
        pass


def test_many_tabs_with_the_same_password_cost_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    check = PasswordCheck({"ann": Account(name="ann", password_hash=QUICK_HASH)}, Throttle())
    begun, leave = threading.Event(), threading.Event()
    computed: list[str] = []

    def slow(password_hash: str, password: str) -> bool:
        computed.append(password)
        begun.set()
        leave.wait(30)
        return True

    monkeypatch.setattr("tickerq_dashboard.access.credentials.fits", slow)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(check.account("ann", PASSWORD, "10.0.0.1").name))
        for _ in range(12)
    ]
    threads[0].start()
    begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    leave.set()
    for thread in threads:
        thread.join()
    assert found == ["ann"] * 12
    assert computed == [PASSWORD]


def test_a_weak_scrypt_hash_would_have_worked_otherwise(seeds: Seeds) -> None:
    digest = scrypt(b"pw", salt=b"salt", n=2, r=1, p=1).hex()
    with pytest.raises(ConfigError, match="too quick"):
        create_app(seeds.tickerq, users={"ann": f"scrypt:2:1:1$salt${digest}"})


def test_users_that_are_no_dict_are_refused_without_their_text(seeds: Seeds) -> None:
    users: Any = "admin:secret-password"
    with pytest.raises(ConfigError, match="users: pass a dict of names with password hashes") as refusal:
        create_app(seeds.tickerq, users=users)
    assert "secret-password" not in str(refusal.value)


def test_an_app_of_celery_is_no_tickerq(seeds: Seeds) -> None:
    app: Any = seeds.tickerq.app
    with pytest.raises(ConfigError, match="tickerq: pass the TickerQ of a Celery app, not a Celery"):
        create_app(app, users={"admin": QUICK_HASH})
