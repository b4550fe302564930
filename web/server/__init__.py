"""What stands between a socket and the application: serving, limits, access, metrics and the log."""
