"""The pages: search, articles, exports."""
