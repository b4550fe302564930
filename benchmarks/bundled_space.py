"""Estimate the language-neutral space of the bundled model anew, and write the file that ships.

Needed whenever the model, the parallel sample or the method of the estimate changes; takes a minute.
A test compares the file with an estimate of its own.
"""

import tempfile
from pathlib import Path

from indexer.building.build import sample_vectors
from indexer.embedding.encoder import find_model
from indexer.embedding.language_neutral import BUNDLED_SPACE, estimate, space_origin
from indexer.store.vector_cache import VectorCache


def main() -> None:
    encoder = find_model("bundled").open()
    with tempfile.TemporaryDirectory() as folder, VectorCache.open(Path(folder, "vectors.sqlite")) as cache:
        space = estimate(*sample_vectors(encoder, cache))
    space.save(BUNDLED_SPACE, space_origin(encoder.weights))
    BUNDLED_SPACE.chmod(0o644)


if __name__ == "__main__":
    main()
