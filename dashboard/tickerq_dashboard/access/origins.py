"""Where a request comes from: its page, its host, its prefix, and whether others can read along."""

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Request

from tickerq_dashboard.access.refusals import ForgedRequestError, WrongAddressError


def check_origin(request: Request) -> None:
    """Check that a page of this host sent a request; what is no browser does not say.

    Raises:
        ForgedRequestError: Another site's page did, or one that does not say whose it is.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        raise ForgedRequestError(f"the request was sent by a {site} page")
    origin = request.headers.get("Origin")
    # Only the host: a proxy that ends TLS changes the scheme, but not who may send forms.
    if origin is not None and (urlsplit(origin).netloc != request.host or not request.host):
        raise ForgedRequestError("the request was sent by a page of another host")


def check_address(request: Request, allowed_hosts: Collection[str]) -> None:
    """Check the host that a request names, and the prefix that a proxy says is before our paths.

    Raises:
        WrongAddressError: The host is not allowed, or the prefix would turn links to another host.
    """
    prefix = request.root_path
    if prefix.startswith(("//", "/\\")) or "\\" in prefix:
        raise WrongAddressError("the prefix is not a path")
    # No port in the list means any.
    if allowed_hosts and not host_is_trusted(request.host, allowed_hosts):
        raise WrongAddressError("the host is not allowed")


def is_script(request: Request) -> bool:
    """Return whether a script asks, for which no browser shall open its password box.

    A page's style sheets and pictures are no scripts: a browser that was logged in at another path asks for
    them without the password first, and sends it when it is asked to.
    """
    return request.headers.get("Sec-Fetch-Dest") == "empty" or "X-Requested-With" in request.headers


def is_readable_by_others(request: Request) -> bool:
    """Return whether passwords and pages travel over a network as they are."""
    return not request.is_secure and not is_loopback(urlsplit(f"//{request.host}").hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by its name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
