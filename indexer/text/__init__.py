"""Pure functions on text: its language and direction, its search terms."""
