"""What all parts of a process share: configuration, core, node identity, backoff and safe URLs."""
