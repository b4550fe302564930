"""Pure functions on text: lines, passages, letters, search terms, language and direction."""
