"""The SQL statements: one module for each subject."""
