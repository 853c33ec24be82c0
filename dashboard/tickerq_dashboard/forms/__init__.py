"""Forms that make and change tickers: shown, reviewed, then stored, or refused field by field."""
