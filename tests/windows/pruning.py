"""A process of an application that prunes what is expired, and ends; JOB_ARCHIVE is the archive."""

import os
from pathlib import Path

from tests.acceptance.job_app import tickerq
from tests.integration.pruning import prune
from tickerq_celery.runs.archive import Archive

if __name__ == "__main__":
    prune(tickerq.core, Archive(Path(os.environ["JOB_ARCHIVE"])))
