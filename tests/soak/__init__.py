"""A chaos soak: beats and workers are killed for minutes, then a checker reads store and bodies."""
