"""The write side: an archive of files to a new generation of the index."""
