"""A shop of plain Celery tasks, which one line makes durable."""
