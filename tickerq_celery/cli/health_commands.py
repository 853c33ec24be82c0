"""``check`` and ``health``: before a deployment, at three in the morning, and for probes."""

import socket
from collections.abc import Iterator

import click

from tickerq_celery.cli import preflight
from tickerq_celery.cli.shell import Shell, command
from tickerq_celery.cli.terminal import harmless
from tickerq_celery.enums import NodeKind
from tickerq_celery.extension import TickerQ
from tickerq_celery.runtime.urls import shown_broker
from tickerq_celery.tickers.health import Finding, HealthReport, Severity

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.FAILURE: "red"}


@command("check", needs_store=False)
@click.option(
    "--offline", "is_offline", is_flag=True, help="Check all but what runs, as before a deployment."
)
def check(shell: Shell, is_offline: bool) -> None:
    """Check modules, settings and all that `health` looks at; exit with 1 where something fails."""
    severities = set()

    def noted() -> Iterator[Finding]:
        for finding in _checked(shell.tickerq, is_offline=is_offline):
            severities.add(finding.severity)
            yield finding

    shell.output.lines(noted())
    if Severity.FAILURE in severities:
        raise SystemExit(1)


@command("health", needs_store=False)
@click.option("--beat", "kind", flag_value=NodeKind.BEAT.value, help="Judge beats only, as for a probe.")
@click.option("--worker", "kind", flag_value=NodeKind.WORKER.value, help="Judge workers only.")
@click.option("--here", "is_here", is_flag=True, help="With --beat or --worker: only those of this host.")
def health(shell: Shell, kind: str | None, is_here: bool) -> None:
    """Report what is not well, with what to do; exit with 1 where a person must act."""
    if kind is None:
        if is_here:
            raise click.UsageError("--here is of one kind: add --beat or --worker")
        report = shell.tickerq.health.report()
    else:
        host = socket.gethostname()[:200] if is_here else None
        report = shell.tickerq.health.probe(NodeKind(kind), host=host)
    shell.output.value(_as_document(report), lambda: _show(report))
    if not report.is_well:
        raise SystemExit(1)


def _checked(tickerq: TickerQ, *, is_offline: bool) -> Iterator[Finding]:
    """Yield findings as they come: what is looked at first is what the rest depends on."""
    yield from preflight.of_modules(tickerq)
    yield from preflight.of_settings(tickerq)
    yield from preflight.of_beat_schedule(tickerq)
    if is_offline:
        yield preflight.of_store(tickerq)
        conf = tickerq.app.conf
        address = shown_broker(conf.broker_write_url or conf.broker_url or "of Celery's default")
        yield from preflight.of_transport(tickerq, address)
    else:
        yield from tickerq.health.report().findings


def _as_document(report: HealthReport) -> dict[str, object]:
    return {
        "status": report.severity,
        "headline": report.headline,
        "at": report.at,
        "findings": report.findings,
    }


def _show(report: HealthReport) -> None:
    click.echo(click.style(_summary(report), bold=True))
    well = [each for each in report.findings if each.severity is Severity.OK]
    for finding in (*report.problems, *well):
        severity = click.style(f"{finding.severity.value:<8}", fg=_STYLES[finding.severity])
        click.echo(f"{severity} {harmless(finding.text)}")
        if finding.error_head is not None:
            click.echo(f"{'':<8} the last error: {harmless(finding.error_head)}")
        if finding.remedy is not None:
            click.echo(f"{'':<8} -> {harmless(finding.remedy)}")


def _summary(report: HealthReport) -> str:
    """Return the answer in one line: all is well, or how much is not; a warning alone is named in it."""
    counts = {
        "failure": sum(each.severity is Severity.FAILURE for each in report.problems),
        "warning": sum(each.severity is Severity.WARNING for each in report.problems),
    }
    shown = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count)
    if not shown:
        return "All well"
    if report.is_well:
        return f"Well, with {shown}: {harmless(report.headline)}"
    return f"Not well: {shown}"
