"""A process of an application that adds one ticker and ends."""

from tests.acceptance.job_app import tickerq
from tickerq_celery import TimeTicker

if __name__ == "__main__":
    tickerq.time_tickers.add(TimeTicker(function="Traced"))
