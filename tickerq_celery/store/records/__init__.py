"""Statements about the audit, about bulk jobs, and about what expires."""
