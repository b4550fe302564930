"""Models loaded with sentence-transformers. A module of its own, because importing it takes seconds."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from sentence_transformers import SentenceTransformer
from transformers.utils import logging

from indexer import settings
from indexer.embedding.bundled.made_once import made_once
from indexer.embedding.bundled.model import cache_folder, weights_path
from indexer.embedding.bundled.transformer import load
from indexer.embedding.bundled.transformers_files import VERSION, write_transformers_model
from indexer.errors import ModelError
from indexer.settings import Backend
from indexer.text.normalize import model_text

BATCH = 8  # small batches keep the activations in the cores' cache: 30 passages/s against 18 at 32


def open_encoder(name: str, weights: str, folder: Path | None) -> "SentenceTransformerEncoder":
    """Load a model from its folder, None for the bundled model; ModelError where its files are not a model.

    `name` and `weights` are what the encoder says of itself.
    """
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    torch.set_num_threads(settings.threads())
    try:
        if folder is None:
            loaded = load(transformers_model())
        else:
            loaded = SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise ModelError(f"The model {name!r} cannot be loaded: {error}") from error
    return SentenceTransformerEncoder(name, weights, loaded)


def transformers_model(source: Callable[[], Path] = weights_path) -> Path:
    """Return the folder of the bundled model for PyTorch; make it where it is missing or damaged."""
    return made_once(cache_folder("torch", VERSION), write_transformers_model, source)


class SentenceTransformerEncoder:
    """An Encoder that uses sentence-transformers, with the model's own prompts."""

    backend: Backend = "torch"

    def __init__(self, name: str, weights: str, loaded: SentenceTransformer) -> None:
        self.model = loaded
        self.name, self.weights = name, weights
        self.dimension = int(loaded.get_embedding_dimension() or 0)
        prompts = {key: prompt for key, prompt in loaded.prompts.items() if prompt}
        # The order in which sentence-transformers itself looks for the prompt of passages.
        document = prompts.get("document") or prompts.get("passage") or prompts.get("corpus") or ""
        self.prompts = {"query": prompts.get("query", ""), "document": document}
        self.window = int(loaded.max_seq_length or 512)
        # The first module of the bundled model normalises; other models do it inside their tokenizer.
        self._normalize = getattr(loaded[0], "normalizer", str)

    def count_tokens(self, text: str) -> int:
        prompted = self._normalize(self.prompts["document"] + model_text(text))
        return len(self.model.tokenizer(prompted, truncation=False)["input_ids"])

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts, self.prompts["document"])

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts, self.prompts["query"])

    def _encode(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        vectors = self.model.encode(
            [model_text(text) for text in texts],
            prompt=prompt,
            batch_size=BATCH,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32)
