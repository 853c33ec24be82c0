"""``tickerq dashboard``: the dashboard as a small server of its own."""

import os
import secrets
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import click
from werkzeug.security import generate_password_hash

from tickerq_celery import TickerQ
from tickerq_celery.errors import ConfigError
from tickerq_dashboard.access.accounts import UserEntry, users_in
from tickerq_dashboard.access.origins import is_loopback
from tickerq_dashboard.app import create_app
from tickerq_dashboard.serving import LOCALHOST, freeze_heap, listeners_on, server_of

USERS_VARIABLE = "TICKERQ_DASHBOARD_USERS"
BASE_PATH = "/tickerq/dashboard"


@click.command()
@click.option("--host", default=LOCALHOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=5556, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--users",
    "users_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with one name:hash or name:role:hash a line; without a role it is viewer. Without the file, "
    f"{USERS_VARIABLE} holds them, separated by commas.",
)
@click.pass_context
def dashboard(context: click.Context, host: str, port: int, users_file: Path | None) -> None:
    """Serve the dashboard until it is stopped.

    Without users it listens on this machine only, and makes a password for one run where its output is a
    terminal.
    """
    try:
        tickerq = _tickerq(context.obj)
        users = _users(host, users_file)
        # Settings are read when first used: a wrong one is better said now than on each page.
        tickerq.config  # noqa: B018
        _import_modules(tickerq)
        app = create_app(tickerq, users=users, base_path=BASE_PATH)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if not is_loopback(host):
        click.echo("Passwords travel as they are: put a proxy that speaks TLS in front.", err=True)
    listeners = _listeners(host, port)
    at = f"http://{_in_address(host)}:{listeners[0].getsockname()[1]}{BASE_PATH}/"
    click.echo(f"The dashboard is at {at} (Ctrl-C stops it)")
    server = server_of(listeners, app)
    freeze_heap()
    server.run()


@click.command("hash-password")
def hash_password() -> None:
    """Ask for a password and print its hash.

    The dashboard's users={"name": hash} and --users want it so.
    """
    # Only asked for: as an option it would stay in the shell's history and the list of processes.
    password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    click.echo(generate_password_hash(password))


def _tickerq(given: TickerQ | Callable[[], TickerQ] | None) -> TickerQ:
    if given is None:
        raise click.UsageError("which application? Run: celery -A yourapp tickerq dashboard")
    return given() if callable(given) else given


def _import_modules(tickerq: TickerQ) -> None:
    """Import what the application includes, as a worker does: payloads are then checked by its functions."""
    try:
        tickerq.app.loader.import_default_modules()
    except Exception as error:  # noqa: BLE001 - the user's modules: the store can be looked at without them
        click.echo(
            f"A module that the application includes cannot be imported: {type(error).__name__}: {error}\n"
            "Payloads of its functions are checked against the schemas that their workers registered.",
            err=True,
        )


def _listeners(host: str, port: int) -> list[socket.socket]:
    try:
        return listeners_on(host, port)
    except OSError as error:
        reason = f"cannot listen on port {port} of {host}: {error.strerror}; name another one with --port"
        raise click.ClickException(reason) from error


def _users(host: str, users_file: Path | None) -> dict[str, UserEntry]:
    if users_file is not None:
        if users_file.stat().st_mode & stat.S_IROTH:
            click.echo(
                f"Everyone on this machine can read {users_file}: chmod o-r takes that away.", err=True
            )
        return users_in(users_file.read_text(encoding="utf-8").splitlines())
    users = users_in(os.environ.get(USERS_VARIABLE, "").replace(",", "\n").splitlines())
    if users:
        return users
    if not is_loopback(host):
        raise ConfigError("users", f"needed to listen on {host}; give --users or set {USERS_VARIABLE}")
    if not _is_terminal():
        # It would stay in a journal or a container's log.
        raise ConfigError(
            "users", f"needed where the output is no terminal; give --users or set {USERS_VARIABLE}"
        )
    password = secrets.token_urlsafe(12)
    click.echo(f"No users are set: for this run, log in as admin with the password {password}")
    return {"admin": (generate_password_hash(password), "admin")}


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host
