"""The public write and read API: one transaction a call, errors raised."""
