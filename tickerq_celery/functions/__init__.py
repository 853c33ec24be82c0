"""Registered functions: definition, registry, signature, limits and context; pure."""
