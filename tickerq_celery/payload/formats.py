"""The formats that a JSON schema may name of a text: what checks each, and examples of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AnyUrl, IPvAnyAddress, IPvAnyInterface, IPvAnyNetwork, StringConstraints
from pydantic.types import UuidVersion

_EMAIL = StringConstraints(pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
_CHECKED_UUIDS: tuple[Literal[1, 3, 4, 5, 7], ...] = (1, 3, 4, 5, 7)
_V4, _V6 = ([f"{start}{number}" for number in range(1, 10)] for start in ("192.0.2.", "2001:db8::"))
_V4_NETWORK, _V6_NETWORK = ["192.0.2.0/24"], ["2001:db8::/32"]


@dataclass(frozen=True, slots=True)
class Format:
    """The type by which pydantic checks a text, and examples: several, as the items of a set differ.

    Without a type it is not checked, as only the worker's machine can tell it of a path.
    """

    type: Any
    examples: Sequence[str]


def _uuid(type: Any, version: int = 4) -> Format:
    return Format(type, [f"00000000-0000-{version}000-8000-{at:012}" for at in range(10)])


FORMATS: Mapping[str, Format] = {
    "date-time": Format(datetime, [f"2026-01-31T09:{minute:02}:00Z" for minute in range(10)]),
    "date": Format(date, [f"2026-01-{day}" for day in range(10, 32)]),
    "time": Format(time, [f"09:{minute:02}:00" for minute in range(10)]),
    "duration": Format(timedelta, [f"PT{seconds}S" for seconds in range(30, 40)]),
    "email": Format(Annotated[str, _EMAIL], ["ann@example.com", "ben@example.com", "eve@example.com"]),
    "name-email": Format(None, ["Ann <ann@example.com>", "Ben <ben@example.com>"]),
    "uri": Format(AnyUrl, ["https://example.com/", "https://example.org/"]),
    "ipv4": Format(IPv4Address, _V4),
    "ipv4interface": Format(IPv4Interface, _V4_NETWORK),
    "ipv4network": Format(IPv4Network, _V4_NETWORK),
    "ipv6": Format(IPv6Address, _V6),
    "ipv6interface": Format(IPv6Interface, _V6_NETWORK),
    "ipv6network": Format(IPv6Network, _V6_NETWORK),
    "ipvanyaddress": Format(IPvAnyAddress, _V4),
    "ipvanyinterface": Format(IPvAnyInterface, _V4_NETWORK),
    "ipvanynetwork": Format(IPvAnyNetwork, _V4_NETWORK),
    "base64url": Format(None, ["dGV4dA=="]),
    "path": Format(None, ["data.csv", "more.csv"]),
    "regex": Format(re.Pattern[str], ["a+", "b+"]),
    "uuid": _uuid(UUID),
    **{f"uuid{each}": _uuid(Annotated[UUID, UuidVersion(each)], each) for each in _CHECKED_UUIDS},
    **{f"uuid{each}": _uuid(None, each) for each in (6, 8)},
}
