"""What the environment may change, read once when the example starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from tzlocal import get_localzone_name

INTERVALS = (60, 300, 900)


class SettingError(ValueError):
    """An environment variable holds a value that cannot be used."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"{name}={value}: {wanted}")
        self.name = name
        self.value = value


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The example's settings; the defaults are those of a production server."""

    broker_url: str | None = None
    store_url: str | None = None
    welcome_delay: timedelta = timedelta(minutes=5)
    retry_intervals: tuple[int, ...] = INTERVALS
    host: str = "localhost"
    port: int = 8000
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    short_logs: bool = False
    time_zone: str = field(default_factory=get_localzone_name)  # the machine's, or what TZ names


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that these variables ask for; one that makes no sense is a SettingError."""
    return Settings(
        broker_url=environ.get("BROKER_URL") or None,
        store_url=environ.get("STORE_URL") or None,
        welcome_delay=timedelta(seconds=_whole(environ, "WELCOME_DELAY_SECONDS", 300)),
        retry_intervals=_intervals(environ),
        host=environ.get("HOST", "localhost"),
        port=_port(environ, "PORT", 8000),
        smtp_host=environ.get("SMTP_HOST", "127.0.0.1"),
        smtp_port=_port(environ, "SMTP_PORT", 25),
        short_logs=environ.get("SHORT_LOGS") == "1",
    )


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise SettingError(name, text, "a whole number is needed, 0 or more")
    return int(text)


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    port = _whole(environ, name, default)
    if not 1 <= port <= 65535:
        raise SettingError(name, environ[name], "a port is a number from 1 to 65535")
    return port


def _intervals(environ: Mapping[str, str]) -> tuple[int, ...]:
    text = environ.get("RETRY_INTERVALS", "60,300,900")
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise SettingError("RETRY_INTERVALS", text, "whole seconds with commas between them are needed")
    return tuple(int(part) for part in parts)
