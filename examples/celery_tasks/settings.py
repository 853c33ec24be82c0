"""Celery's settings, and nothing but Celery's."""

import os

from celery.schedules import crontab

broker_url = os.environ.get("BROKER_URL", "redis://localhost/0")
task_ignore_result = True
worker_prefetch_multiplier = 1
beat_schedule = {
    "prices": {"task": "shop.refresh_prices", "schedule": float(os.environ.get("PRICES_EVERY", "10"))},
    "report": {"task": "shop.send_report", "schedule": crontab(hour=6, minute=0), "kwargs": {"to": "ops"}},
}
