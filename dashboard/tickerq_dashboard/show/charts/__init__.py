"""Charts as values for SVG, made by the server; each page shows the same as a table, too."""
