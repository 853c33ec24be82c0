"""The real store under a machine that does everything in every order; see ``machine``."""
