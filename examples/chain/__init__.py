"""An order as a chain: one ticker that others wait for."""
