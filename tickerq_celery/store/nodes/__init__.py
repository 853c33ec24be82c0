"""Statements about beats and workers."""
