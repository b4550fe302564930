"""Decode files without losing a byte: detect the encoding, and repair text that was stored wrongly."""
