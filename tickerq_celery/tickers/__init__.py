"""The domain: inputs, views, lifecycle, chains, claims and row values; pure."""
