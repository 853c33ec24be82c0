"""Statements about cron tickers, their occurrences and their pauses."""
