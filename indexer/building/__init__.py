"""The write side: from an archive of files to a new generation of the index."""
