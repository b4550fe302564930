"""The read side: requests in, ranked passages out."""
