"""The plans of what people read: with a long history, no statement scans or sorts it."""
