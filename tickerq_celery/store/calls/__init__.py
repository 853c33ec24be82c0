"""Statements about calls of Celery tasks, and about what workers report of them."""
