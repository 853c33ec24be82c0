"""Statements about functions that workers registered, and about seeders."""
