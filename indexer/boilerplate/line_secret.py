"""A secret of this user, kept outside of every index: keys made with it tell nothing without it.

An index counts lines by their keys, also lines that were cut since they hold a reader's address. An
address has so few spellings that the plain hash of its line would give it away.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

NAME, LENGTH = "lines.key", 32


def read_line_secret(folder: Path) -> bytes:
    """Return the secret kept in a folder, made when first asked for.

    Where it cannot be kept it is another one every time: indexes are then built whole each time.
    """
    path = folder / NAME
    made = secrets.token_bytes(LENGTH)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f".{NAME}.{secrets.token_hex(8)}"
        with suppress(FileExistsError):
            if not path.exists():
                descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(made)
                try:
                    os.link(aside, path)  # whole, and never over that of another process
                finally:
                    aside.unlink()
        kept = path.read_bytes()
        if len(kept) == LENGTH:
            return kept
    return made


def fingerprint(secret: bytes) -> str:
    """Return what tells secrets apart and says nothing of them."""
    return hashlib.sha256(b"the name of " + secret).hexdigest()[:16]
