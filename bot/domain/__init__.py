"""One noun a file: rows and rules together."""
