"""The commands that change something, in the name of an actor."""
