"""Turning values into HTML, in an environment that no host setting can loosen."""

import posixpath
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import uuid4

import flask
from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Response

from tickerq_dashboard.access.csrf import CsrfTokens
from tickerq_dashboard.access.origins import is_readable_by_others
from tickerq_dashboard.access.roles import Permission
from tickerq_dashboard.access.visitors import current_mount, current_visitor
from tickerq_dashboard.assets import Assets
from tickerq_dashboard.banner import Topic, banner_of, well
from tickerq_dashboard.health import HealthWatch, said
from tickerq_dashboard.navigation import pages_for
from tickerq_dashboard.options import Options
from tickerq_dashboard.preferences import reader_clock, reader_is_live, reader_shortcuts, reader_theme
from tickerq_dashboard.show import (
    attempts,
    audited,
    bulk,
    bulk_filters,
    chains,
    changes,
    differences,
    durations,
    field_words,
    ids,
    json_tree,
    moments,
    places,
    reasons,
    starts,
    statuses,
    visible,
    words,
)
from tickerq_dashboard.show.moments import Clock
from tickerq_dashboard.ticker_fields import option_facts, said_of

_FILTERS: tuple[Callable[..., Any], ...] = (
    attempts.attempt_dots,
    attempts.attempts_given,
    attempts.attempts_made,
    attempts.attempt_ran,
    attempts.is_lost,
    bulk.job_look,
    bulk.job_title,
    bulk_filters.job_runs,
    chains.has_run,
    chains.label_of,
    chains.label_of_reason,
    chains.reason_of,
    chains.short_reason,
    audited.deleted_words,
    audited.done_words,
    audited.changed_count,
    audited.object_words,
    changes.changed_in,
    audited.outcome_words,
    audited.refused_words,
    changes.changes_in_words,
    field_words.field_words,
    ids.short_id,
    differences.setting_words,
    differences.value_words,
    durations.age,
    durations.duration,
    durations.exact,
    json_tree.editable,
    json_tree.tree_of,
    moments.machine,
    places.places_of,
    reasons.names_moment,
    reasons.parts_of,
    reasons.reason_words,
    starts.rate_words,
    said,
    statuses.in_words,
    statuses.look_of,
    visible.one_line,
    visible.plain,
    visible.visible,
    well,
    words.active_since,
    words.called,
    words.condition_words,
    words.has_lag,
    words.held_words,
    words.waiters_words,
    words.intervals,
    words.is_call,
    words.is_record,
    words.name_of,
    words.node_words,
    words.origin_words,
    words.pause_words,
    words.percent,
    words.plural,
    words.sign_of,
    words.size,
    words.total,
    option_facts,
    said_of,
)
# What tells the time of the rendering: it makes no page another one.
# And what makes a form valid once: an older one is as good.
_VOLATILE = re.compile(
    rb'(<(?:time|span)[^>]* data-v="?[a-z]+"?>'
    rb'|<input type="hidden" name="(?:csrf_token|operation_id|as_of)")[^<]*'
)
_STATUSES = {look.css: look for look in (*statuses.LOOKS.values(), statuses.PUBLISHED)}


class Renderer:
    """Renders this package's own templates, always escaped."""

    def __init__(
        self,
        watch: HealthWatch,
        assets: Assets,
        csrf: CsrfTokens,
        options: Options,
        *,
        namespace: Callable[[], str],
    ) -> None:
        self._watch = watch
        self._assets = assets
        self._csrf = csrf
        # Not Flask's own environment: a host may switch its escaping off or shadow a template's name.
        self._environment = Environment(
            loader=PackageLoader("tickerq_dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            title=options.title,
            # Of a host's application settings are read when they are first used.
            environment=lambda: options.environment or namespace(),
            notice=options.notice,
            url_for=url_for,
            near=near,
            csrf_token=self._csrf_token,
            operation_id=_operation_id,
            is_readable_by_others=_is_readable_by_others,
            statuses=_STATUSES,
        )
        self._environment.filters.update({each.__name__: each for each in _FILTERS})

    def page(
        self, template: str, *, clock: Clock | None = None, topics: Sequence[Topic] = (), **values: object
    ) -> str:
        """Return a template as HTML; of what the page is about, ``topics``, the banner says nothing."""
        visitor = current_visitor()
        return self._environment.get_template(template).render(
            visitor=visitor,
            # Payloads, and what functions said: their errors and log lines.
            may_see=visitor is not None and visitor.may(Permission.PAYLOAD_VIEW),
            banner=banner_of(self._watch.look(), topics),
            clock=clock or reader_clock(datetime.now(UTC)),
            theme=reader_theme(),
            shortcuts=reader_shortcuts(),
            is_live=reader_is_live(),
            nav=pages_for(visitor),
            counts=self._watch.counts,
            # Each icon names the sprite.
            static_url=cache(self._static_url),
            # Where no page says which workers are lost, none of its runs is shown as such, nor in a queue.
            **({"lost": {}, "in_queues": {}} | values),
        )

    def apart(self, template: str, **values: object) -> str:
        """Return a template that is no page of the layout as HTML."""
        return self._environment.get_template(template).render(values)

    def _csrf_token(self, route: str) -> str:
        """Return what a form for a route must send as ``csrf_token``."""
        visitor = current_visitor()
        return self._csrf.token(None if visitor is None else visitor.name, route)

    def _static_url(self, filename: str) -> str:
        """Return the address of a file of this package, which changes with the file."""
        return url_for(".static", filename=filename, v=self._assets.version(filename))


def answered(html: str, status: int = 200) -> Response:
    """Return a page, or 304 where the browser has the same but for what counts the seconds."""
    body = html.encode("utf-8", "backslashreplace")
    response = Response(body, status=status, mimetype="text/html")
    response.set_etag(sha256(_VOLATILE.sub(rb"\1", body)).hexdigest()[:24], weak=True)
    return response.make_conditional(flask.request) if status == 200 else response


def url_for(endpoint: str, **values: object) -> str:
    """Return the address of a route, by its name after a dot."""
    # Not Flask's own reading of the dot: it has none where an address matched no rule.
    return flask.url_for(f"{current_mount()}{endpoint}", **values)  # type: ignore[arg-type]  # as Flask's own


def near(endpoint: str, **values: object) -> str:
    """Return the same as it is written on the page that is asked for: short, wherever the dashboard is."""
    here = posixpath.dirname(flask.request.root_path + flask.request.path)
    return posixpath.relpath(url_for(endpoint, **values), here)


def _operation_id() -> str:
    """Return a new one-time id, which a form sends along so that it takes effect once."""
    return str(uuid4())


def _is_readable_by_others() -> bool:
    """Return whether this page travels over a network as it is."""
    return is_readable_by_others(flask.request)
