"""Indexes on disk: generations, and the one thing with two legs that each of them holds."""
