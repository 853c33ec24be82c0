"""What the pages read of the store, each by one bounded call, and once for all who ask at the same time."""
