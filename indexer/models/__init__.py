"""Texts to vectors: the Encoder seam and the models behind it."""
