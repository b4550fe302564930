"""Checks of an index against its files, of its parts against each other, and of hits against their files."""
