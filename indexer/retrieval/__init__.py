"""The read side: from a request to ranked passages."""
