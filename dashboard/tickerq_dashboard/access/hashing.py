"""Password hashes: which are strong enough, and whether a password fits one."""

import secrets
from binascii import Error as Base64Error

from werkzeug.security import check_password_hash

from tickerq_celery.errors import ConfigError

try:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError
except ImportError:
    HAS_ARGON2 = False
else:
    HAS_ARGON2 = True

# What OWASP's password storage cheat sheet asks for at least, with room for hashes of some years ago: of
# scrypt the product of its three parameters, of argon2id its memory (KiB), and that times its rounds.
LEAST_SCRYPT = 2**17
LEAST_PBKDF2_ROUNDS = 100_000
PBKDF2_DIGESTS = frozenset({"sha256", "sha512"})
LEAST_ARGON2_MEMORY, LEAST_ARGON2_WORK = 7_168, 35_000
ADVICE = "make one with: tickerq hash-password"


def kind_of(password_hash: str) -> str:
    """Return the method and the cost of a hash: what two hashes must share to take equally long."""
    marks = password_hash.split("$")
    return "$".join(marks[:4]) if password_hash.startswith("$argon2") else marks[0]


def fits(password_hash: str, password: str) -> bool:
    """Return whether a password is the one of a hash; it takes as long where it is not."""
    if not password_hash.startswith("$argon2"):
        return check_password_hash(password_hash, password)
    try:
        return PasswordHasher().verify(password_hash, password.encode("utf-8", "surrogatepass"))
    except VerificationError:
        return False


def no_password(like: str) -> str:
    """Return a hash of the same kind that belongs to no password."""
    *marks, digest = like.split("$")
    if like.startswith("$argon2"):
        return "$".join(
            [*marks, secrets.token_urlsafe(len(digest)).replace("-", "A").replace("_", "B")[: len(digest)]]
        )
    return "$".join([*marks[:-1], secrets.token_hex(8), secrets.token_hex(len(digest) // 2)])


def check_hash(setting: str, password_hash: object) -> None:
    """Refuse what is no strong hash, without ever repeating it: it may be a password.

    Raises:
        ConfigError: It is no hash, a weak one, or the hash of an empty password.
    """
    if not isinstance(password_hash, str) or not _is_strong(setting, password_hash):
        raise ConfigError(setting, f"not a scrypt, pbkdf2 or argon2id password hash; {ADVICE}")
    try:
        opens_without_password = fits(password_hash, "")
    except (ValueError, MemoryError, OverflowError, Base64Error):
        # Not chained: the cause may quote parts of what was given.
        raise ConfigError(setting, f"a password hash that cannot be computed; {ADVICE}") from None
    if opens_without_password:
        raise ConfigError(setting, f"the hash of an empty password; {ADVICE}")


def _is_strong(setting: str, password_hash: str) -> bool:
    """Return whether a text is a hash at all, refusing a weak one."""
    method, _, rest = kind_of(password_hash).partition(":")
    try:
        if method == "scrypt" and password_hash.count("$") == 2:
            n, r, p = map(int, rest.split(":"))
            is_strong = n * r * p >= LEAST_SCRYPT
        elif method == "pbkdf2" and password_hash.count("$") == 2:
            digest, rounds = rest.split(":")
            is_strong = digest in PBKDF2_DIGESTS and int(rounds) >= LEAST_PBKDF2_ROUNDS
        elif password_hash.startswith("$argon2id$") and password_hash.count("$") == 5:
            is_strong = _is_strong_argon2(setting, password_hash)
        else:
            return False
    except ConfigError:
        raise
    except ValueError:
        return False
    if not is_strong:
        raise ConfigError(setting, f"a hash that is too quick to guess; {ADVICE}")
    return True


def _is_strong_argon2(setting: str, password_hash: str) -> bool:
    if not HAS_ARGON2:
        raise ConfigError(setting, "an argon2 hash needs the package argon2-cffi")
    try:
        PasswordHasher().check_needs_rehash(password_hash)
    except InvalidHashError:
        raise ValueError("no argon2 hash") from None
    costs = dict(each.split("=") for each in password_hash.split("$")[3].split(","))
    memory, rounds = int(costs["m"]), int(costs["t"])
    return memory >= LEAST_ARGON2_MEMORY and memory * rounds >= LEAST_ARGON2_WORK
