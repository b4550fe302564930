"""The default model, read from a wheel."""
