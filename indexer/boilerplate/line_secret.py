"""A secret of this user, stored outside every index, with which the keys of lines are made.

An index counts lines by their keys, among them lines that were cut because they hold a reader's address.
There are so few possible addresses that a plain hash of such a line could be reversed by trying them all.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

NAME, LENGTH = "lines.key", 32


def read_line_secret(folder: Path) -> bytes:
    """Return the secret stored in a folder; the first call creates it.

    If it cannot be stored, every call returns a new secret, and every build then builds the whole index.
    """
    path = folder / NAME
    new_secret = secrets.token_bytes(LENGTH)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        staging = folder / f".{NAME}.{secrets.token_hex(8)}"
        with suppress(FileExistsError):
            if not path.exists():
                descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(new_secret)
                try:
                    os.link(staging, path)  # atomic, and never overwrites the secret of another process
                finally:
                    staging.unlink()
        stored = path.read_bytes()
        if len(stored) == LENGTH:
            return stored
    return new_secret


def fingerprint(secret: bytes) -> str:
    """Return a short fingerprint of the secret, safe to store: it reveals nothing of the secret."""
    return hashlib.sha256(b"the name of " + secret).hexdigest()[:16]
