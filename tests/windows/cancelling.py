"""A process of an application that cancels one run and ends; JOB_CANCEL is its id."""

import os

from tests.acceptance.job_app import tickerq

if __name__ == "__main__":
    tickerq.runs.cancel(os.environ["JOB_CANCEL"])
