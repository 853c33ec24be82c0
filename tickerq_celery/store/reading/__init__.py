"""How rows are found and read: index scans, ordered pages, filters, names, and rows as values."""
