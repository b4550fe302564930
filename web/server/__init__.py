"""The layer between the socket and the application: serving, limits, access, metrics and the log."""
