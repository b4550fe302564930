"""What a page puts around an article: how it is told from the article, and cut."""
