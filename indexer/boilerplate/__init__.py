"""Boilerplate: the lines that a page puts around an article. This package recognizes and cuts them."""
