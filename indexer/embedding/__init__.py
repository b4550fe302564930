"""Texts to vectors: the Encoder protocol and the models behind it."""
