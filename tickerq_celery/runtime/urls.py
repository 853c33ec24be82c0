"""How the addresses of brokers are shown: without what opens them."""

import re

from tickerq_celery.store.database.urls import without_secret_arguments
from tickerq_celery.wording import HIDDEN

# From the first colon behind the scheme to the last sign: a password may hold any character, quoted or not.
_PASSWORD = re.compile(r"^(.*?://)?([^:]*):(.+)@", re.DOTALL)
# A semicolon elsewhere may be a character of a password.
_BETWEEN_BROKERS = re.compile(r";\s*(?=[\w.+-]+://)")


def shown_broker(setting: object) -> str:
    """Return the addresses in a broker setting, without passwords.

    Any value can be shown: a URL, several between semicolons, a list of them, or what is none at all.
    """
    several = setting if isinstance(setting, list | tuple) else [setting]
    urls = [url for each in several for url in _BETWEEN_BROKERS.split(str(each))]
    hidden = (_PASSWORD.sub(rf"\1\2:{HIDDEN}@", url) for url in urls)
    return ";".join(without_secret_arguments(url) for url in hidden)
