"""The shop's tasks: Celery's own, with Celery's own retries and countdowns."""

import os
from typing import Any

from celery import Task

from examples.celery_tasks.celery_app import app

REVIEW_AFTER_SECONDS = float(os.environ.get("REVIEW_AFTER_SECONDS", "20"))


@app.task(bind=True, name="shop.charge_card", max_retries=5)
def charge_card(self: "Task[..., Any]", order: int) -> None:
    if self.request.retries == 0:
        raise self.retry(exc=ConnectionError("the payment provider is busy"), countdown=2)
    print(f"order {order}: charged")
    send_receipt.delay(order)
    ask_for_review.apply_async((order,), countdown=REVIEW_AFTER_SECONDS)


@app.task(name="shop.send_receipt")
def send_receipt(order: int) -> None:
    print(f"order {order}: receipt sent")


@app.task(name="shop.ask_for_review")
def ask_for_review(order: int) -> None:
    print(f"order {order}: how did you like it?")


@app.task(name="shop.refresh_prices")
def refresh_prices() -> None:
    print("prices refreshed")


@app.task(name="shop.send_report")
def send_report(to: str) -> None:
    print(f"report sent to {to}")
