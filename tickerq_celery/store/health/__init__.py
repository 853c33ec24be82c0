"""What diagnosis reads: backlog, limits, orphans, and why a run waits."""
