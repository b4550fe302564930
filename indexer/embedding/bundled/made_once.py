"""A model that is made once from the bundled weights, and checked at every start."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from indexer.embedding.bundled.model import read_weights, weights_path
from indexer.embedding.bundled.weights import Weights
from indexer.errors import ModelError

CHECKSUMS = "sha256.json"


def made_once(
    folder: Path, write: Callable[[Path, Weights], None], source: Callable[[], Path] = weights_path
) -> Path:
    """Return the folder of a model; make it where it is missing or damaged.

    `write` gets an empty folder and the weights. It writes to a staging folder that is then renamed, under a
    lock that ends with its process. If two processes start together, one makes the model and the other waits
    and uses it. Raises ModelError.
    """
    if is_intact(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not is_intact(folder):
                _write_staged(folder, write, read_weights(source()))
    except (OSError, RuntimeError) as error:  # libraries have errors of their own for a full disk
        reason = getattr(error, "strerror", None) or error
        raise ModelError(
            f"The bundled model cannot be unpacked to {folder.parent}: {reason}. "
            "It needs 100 MB there, or 500 MB for PyTorch; WARRAQ_CACHE names another folder."
        ) from error
    return folder


def _write_staged(folder: Path, write: Callable[[Path, Weights], None], weights: Weights) -> None:
    staging = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        write(staging, weights)
        sums = {path.name: _sha256(path) for path in sorted(staging.iterdir())}
        (staging / CHECKSUMS).write_text(json.dumps(sums), "utf-8")
        for path in staging.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        if folder.exists():
            shutil.rmtree(folder)
        staging.chmod(0o755)  # mkdtemp makes it private
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def is_intact(folder: Path) -> bool:
    """Return whether every file of a model has the sha256 that was recorded for it."""
    try:
        sums: dict[str, str] = json.loads((folder / CHECKSUMS).read_text("utf-8"))
        return bool(sums) and all(_sha256(folder / name) == expected for name, expected in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
