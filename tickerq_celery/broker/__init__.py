"""Messages and their publishing."""
