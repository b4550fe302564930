"""Files to articles: finding them, reading them, splitting them into passages."""
