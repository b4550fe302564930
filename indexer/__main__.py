"""`python -m indexer` is the command `warraq`."""

from indexer.cli import main

if __name__ == "__main__":
    main()
