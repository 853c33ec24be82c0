"""What programs read and do: the same store and the same commands as the pages and forms, as JSON."""
