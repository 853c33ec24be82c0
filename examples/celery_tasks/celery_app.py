"""The shop's Celery app."""

from celery import Celery

app = Celery("shop", include=["examples.celery_tasks.tasks"])
app.config_from_object("examples.celery_tasks.settings")
