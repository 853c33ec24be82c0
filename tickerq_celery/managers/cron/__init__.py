"""What a user may do with cron tickers."""
