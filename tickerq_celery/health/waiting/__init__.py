"""Why a run does not run: what is known of it, and each thing that it may wait for."""
