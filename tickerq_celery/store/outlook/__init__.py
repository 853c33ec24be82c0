"""What is to come: stored runs and computed instants, merged."""
