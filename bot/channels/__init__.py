"""One platform a file: a platform's event becomes an Incoming, an Outgoing becomes the platform's call."""
