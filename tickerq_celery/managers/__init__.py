"""The public write and read API."""
