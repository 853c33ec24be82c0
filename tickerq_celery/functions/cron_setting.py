"""A cron expression that stands in the configuration instead of the code."""

from collections.abc import Mapping
from dataclasses import dataclass

from tickerq_celery import validation


@dataclass(frozen=True, slots=True)
class CronSetting:
    """The cron expression that a setting holds: ``cron=CronSetting("digest_cron", default="@daily")``.

    It is looked for in the Celery app's configuration, then in the environment, under its name in upper
    case; ``default`` is for where it stands in neither.
    """

    name: str
    default: str | None = None

    def __post_init__(self) -> None:
        validation.name("cron", self.name, validation.LONGEST_KEY)

    def value_in(self, configured: object, environment: Mapping[str, str]) -> object:
        """Return what the setting holds; None where it is nowhere, and has no default."""
        if configured is not None:
            return configured
        return environment.get(self.name.upper(), self.default)
