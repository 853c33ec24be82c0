"""What changes something: each act is asked for on a page, done by a form, and ends at its object."""
