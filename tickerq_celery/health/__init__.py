"""Diagnosis: is all well, and why does a run wait? Facts read from the store, and what follows from them."""
