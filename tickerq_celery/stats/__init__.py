"""Figures of what has ended: the hourly roll-up, and what is computed from it."""
