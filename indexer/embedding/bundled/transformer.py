"""The bundled model in sentence-transformers: normalize, tokenize, encode, take the mean.

A module of its own, because importing sentence-transformers takes seconds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from indexer.embedding.bundled.model import PROMPTS
from indexer.embedding.bundled.normalization import Normalizer, read_normalizer


class NormalizingTransformer(Transformer):
    """A Transformer that normalizes its text for the model's vocabulary first."""

    normalizer: Normalizer

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        module: Self = cls(
            str(folder),
            # The mean of the token vectors is used; the checkpoint has no pooling layer.
            model_kwargs={"local_files_only": True, "add_pooling_layer": False},
            processor_kwargs={"local_files_only": True},
            config_kwargs={"local_files_only": True},
        )
        module.normalizer = read_normalizer(folder)
        return module

    def preprocess(  # type: ignore[override]  # texts are all that this model reads
        self, inputs: Sequence[str], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        # The prompt joins the text before normalization, so that both are normalized as one text.
        return super().preprocess([self.normalizer((prompt or "") + text) for text in inputs], **kwargs)


def load(folder: Path) -> SentenceTransformer:
    """Open a converted model: normalization, BERT, mean pooling, unit length."""
    transformer = NormalizingTransformer.from_folder(folder)
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
    return SentenceTransformer(
        modules=[transformer, pooling, Normalize()],
        prompts=dict(PROMPTS),
        device="cpu",
        local_files_only=True,
    )
