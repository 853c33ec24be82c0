"""The beat process: its loop, the sweeper, liveness of nodes, and Celery's own entries."""
