"""The broker in a folder: a kombu transport for one machine."""
