"""Statements about the roll-up of ends."""
