"""The pages: each reads a bounded part of the store for a visit, and returns HTML; none changes anything."""
