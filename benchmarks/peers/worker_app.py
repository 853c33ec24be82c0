"""What ``celery -A benchmarks.peers.worker_app worker`` executes."""

import os

from benchmarks.peers.celery_app import plain_app

app = plain_app(os.environ["BENCHMARK_BROKER_URL"])
