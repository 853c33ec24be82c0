"""What a user may do with time tickers."""
