"""The Encoder seam: texts in, unit vectors out. Every model stands behind it.

Finding a model is cheap and needs no torch, so a name that is not on this machine fails at once;
opening it is what takes seconds.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .. import settings
from ..errors import ModelError
from . import bundled
from .fetch import TAKEN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

BATCH = 8  # small batches keep the activations in the cores' cache: 30 passages/s against 18 at 32
COMPUTED = "torch-float32"


class Encoder(Protocol):
    """What the build and the search ask of a model. Vectors are float32 of unit length."""

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def prompts(self) -> dict[str, str]: ...
    @property
    def window(self) -> int: ...

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a passage, prompt and control tokens included."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Encode texts to an array (len(texts), dimension)."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Encode questions to an array (len(texts), dimension)."""
        ...


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that is on this machine; `weights` tells two models of one name apart."""

    name: str
    weights: str
    folder: Path | None
    """None for the bundled model, which is unpacked when it is opened."""

    def open(self) -> Encoder:
        """Load the model into memory; takes seconds."""
        return open_encoder(self)


def find_model(name: str) -> FoundModel:
    """Find a model by name or path among what is on this machine, without loading it.

    `name` is "bundled", a folder, or a hub name that has been fetched before. Never asks the
    network. Raises ModelError, with the remedy, for anything else.
    """
    if name == settings.DEFAULT_MODEL:
        bundled.weights_path()
        return FoundModel(name, bundled.WEIGHTS_SHA256, None)
    folder = _local(name) or _fetched(name)
    name = model_name(name)
    pickled = any(
        not (path.parent / "model.safetensors").exists() for path in folder.glob("*/pytorch_model.bin")
    )
    if pickled or not (any(folder.glob("*.safetensors")) or any(folder.glob("*/*.safetensors"))):
        raise ModelError(
            f"{name} holds no weights in safetensors form, the only form that is read. "
            "Name a folder of a sentence-transformers model, or run: warraq model fetch NAME"
        )
    return FoundModel(name, _fingerprint(folder), folder)


def model_name(name: str) -> str:
    """Return the name under which an index remembers a model: a folder's is its whole path."""
    folder = _local(name)
    return str(folder.resolve()) if folder and name != settings.DEFAULT_MODEL else name


def _local(name: str) -> Path | None:
    try:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    except (OSError, RuntimeError):  # too long a name; the home of nobody
        return None


def _fetched(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True, allow_patterns=TAKEN))
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise ModelError(
            f"The model {name!r} is not on this machine. Where there is a network, run: "
            f"warraq model fetch {name}"
        ) from error


def _fingerprint(folder: Path) -> str:
    """Hash all that decides a model's vectors: weights, configuration and tokenizer files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".safetensors", ".json", ".txt", ".model"} and path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def open_encoder(model: FoundModel) -> "SentenceTransformerEncoder":
    """Load a model that was found; ModelError where its files do not make one."""
    import torch
    from safetensors import SafetensorError
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    torch.set_num_threads(settings.threads())
    try:
        if model.folder is None:
            loaded = bundled.load(bundled.converted_model(settings.cache_dir()))
        else:
            from sentence_transformers import SentenceTransformer

            loaded = SentenceTransformer(
                str(model.folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise ModelError(f"The model {model.name!r} cannot be loaded: {error}") from error
    return SentenceTransformerEncoder(model, loaded)


class SentenceTransformerEncoder:
    """An Encoder over sentence-transformers, with the model's own prompts."""

    def __init__(self, model: FoundModel, loaded: "SentenceTransformer") -> None:
        self.model = loaded
        self.name, self.weights = model.name, model.weights
        self.dimension = int(loaded.get_embedding_dimension() or 0)
        own = {key: prompt for key, prompt in loaded.prompts.items() if prompt}
        # In the order in which sentence-transformers itself looks for a passage's prompt.
        document = own.get("document") or own.get("passage") or own.get("corpus") or ""
        self.prompts = {"query": own.get("query", ""), "document": document}
        self.window = int(loaded.max_seq_length or 512)
        # The bundled model's first module normalises; other models do it inside their tokenizer.
        self._normalize = getattr(loaded[0], "normalizer", str)

    def count_tokens(self, text: str) -> int:
        prompted = self._normalize(self.prompts["document"] + text)
        return len(self.model.tokenizer(prompted, truncation=False)["input_ids"])

    def encode_passages(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        return self._encode(texts, self.prompts["document"])

    def encode_queries(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        return self._encode(texts, self.prompts["query"])

    def _encode(self, texts: Sequence[str], prompt: str) -> "NDArray[np.float32]":
        import numpy as np

        if not texts:
            return np.empty((0, self.dimension), np.float32)
        vectors = self.model.encode(
            list(texts), prompt=prompt, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, np.float32)


def vector_key(encoder: Encoder, text: str, prompt: str = "document") -> bytes:
    """Name the vector that an encoder makes of a text; 32 bytes."""
    return key_of(encoder.weights, encoder.prompts[prompt], text)


def key_of(weights: str, prompt: str, text: str) -> bytes:
    """Name a vector by all that decides it; 32 bytes."""
    return hashlib.sha256("\0".join((weights, COMPUTED, prompt, text)).encode()).digest()
