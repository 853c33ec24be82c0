"""Tokens of forms: a request that changes something must come from a page that was made for its user.

Browsers attach the password of basic auth to the forms of foreign pages, too: there is no cookie whose
SameSite could keep it back.
"""

from itsdangerous import BadSignature, URLSafeTimedSerializer

from tickerq_celery.errors import ConfigError
from tickerq_dashboard.access.refusals import ForgedRequestError

FIELD, HEADER = "csrf_token", "X-CSRF-Token"
LIFETIME = 12 * 3600


class CsrfTokens:
    """Makes and checks tokens, each for one user and one route."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key

    def accept_host_secret(self, secret: str | bytes | None) -> None:
        """Take a host application's secret where there is no other key.

        Raises:
            ConfigError: It has none either.
        """
        if self._key is not None:
            return
        if not secret:
            raise ConfigError(
                "secret", "needed where auth is a callable: pass secret=, or set the application's secret_key"
            )
        self._key = secret.encode() if isinstance(secret, str) else secret

    @property
    def _signer(self) -> URLSafeTimedSerializer:
        if self._key is None:
            raise RuntimeError("the blueprint is not registered yet")
        return URLSafeTimedSerializer(self._key, salt="tickerq.csrf")

    def token(self, user: str | None, route: str) -> str:
        """Return what a form of a user for a route sends along."""
        token: str = self._signer.dumps([user, route])
        return token

    def check(self, token: str | None, user: str | None, route: str) -> None:
        """Check what came along.

        Raises:
            ForgedRequestError: It is missing, older than 12 hours, or was made for another user or route.
        """
        try:
            made_for = self._signer.loads(token or "", max_age=LIFETIME)
        except BadSignature:
            # An expired one is of this kind as well.
            raise ForgedRequestError("the form's token is missing, too old, or not ours") from None
        if made_for != [user, route]:
            raise ForgedRequestError("the form's token was made for another user or form")
