"""The commands and the importers."""
