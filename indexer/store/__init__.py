"""Indexes on disk: generations, each with a vector index and a BM25 index over the same passages."""
