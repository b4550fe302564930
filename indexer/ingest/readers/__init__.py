"""The readers: each makes the extracts of its file format from bytes, one extract for each article."""
