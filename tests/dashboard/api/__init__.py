"""The API: what programs read and do."""
