"""Connections, transactions and their retries, the caller's sessions, and the schema's version."""
