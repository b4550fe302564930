"""The real model for builds, loaded once a run."""

from indexer.embedding.encoder import Encoder


class LoadedModel:
    """A found model that has been opened already."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.weights, self.backend = encoder.name, encoder.weights, encoder.backend
        self._encoder = encoder

    def open(self) -> Encoder:
        return self._encoder
