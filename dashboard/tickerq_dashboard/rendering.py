"""Turning values into HTML, in an environment that no host setting can loosen."""

from flask import g, url_for
from jinja2 import Environment, PackageLoader, StrictUndefined

from tickerq_dashboard import words
from tickerq_dashboard.filters import TYPE_SLUGS


class Renderer:
    """Renders this package's own templates, always escaped."""

    def __init__(self, *, title: str) -> None:
        # Not Flask's own environment: a host may switch its escaping off or shadow a template's name.
        self._environment = Environment(
            loader=PackageLoader("tickerq_dashboard"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            title=title, url_for=url_for, status_words=words.STATUS_WORDS, type_slugs=TYPE_SLUGS
        )
        for filter_ in (
            words.badge,
            words.type_word,
            words.is_call,
            words.attempt_word,
            words.retries_word,
            words.loss_words,
            words.hold_words,
            words.moment,
            words.machine_moment,
            words.duration,
            words.intervals,
            words.request_text,
            words.percent,
            words.log_lines,
        ):
            self._environment.filters[filter_.__name__] = filter_
        self._environment.globals["took"] = words.took

    def page(self, template: str, **values: object) -> str:
        """Return a template as HTML."""
        return self._environment.get_template(template).render(user=g.get("tickerq_user"), **values)
