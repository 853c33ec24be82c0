"""What a user may do with runs of both kinds, and with their chains."""
