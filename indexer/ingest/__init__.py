"""From the files of an archive to documents: find files, decode and read them, collect their facts."""
