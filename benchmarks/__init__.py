"""Measurements, started manually: `make bench`."""
