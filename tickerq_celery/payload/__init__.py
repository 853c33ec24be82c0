"""Requests and results as JSON: check, encode, compress, encrypt and mask; pure."""
