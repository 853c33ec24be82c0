"""A FastAPI app whose orders commit with their tickers."""
