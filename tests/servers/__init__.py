"""Databases and brokers that tests start for themselves, each in a temporary folder on a loopback port."""
