"""Bytes to text without losing one: which encoding it is, and what was stored wrongly."""
