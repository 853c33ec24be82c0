"""Statements about runs: from the claim to the end, with their chains, limits and holds."""
