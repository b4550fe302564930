"""How fast the bundled model encodes on each backend, against plain sentence-transformers.

    python benchmarks/encoding.py FILE [TEXTS]

FILE is a corpus.jsonl in BEIR's layout, or a text with a paragraph on each line. All ways encode the same
texts in turn, three times; the medians are printed, with the least cosine to plain sentence-transformers, and
the operations a second that the processor reaches in products of the model's largest matrices.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from indexer import settings
from indexer.embedding.encoder import find_model
from indexer.text.normalize import model_text

RUNS, PLAIN_BATCH = 3, 32
TOKENS, HIDDEN, INNER, LAYERS = 192, 384, 1_536, 12


def read(path: Path, texts: int) -> list[str]:
    """Return the first texts of a file."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    rows = [json.loads(line)["text"] for line in lines] if path.suffix == ".jsonl" else lines
    return rows[:texts]


def peak() -> float:
    """Return the floating-point operations a second, in 10⁹, of products as the model has them."""
    states = torch.rand(TOKENS, HIDDEN)
    inner = torch.rand(HIDDEN, INNER)
    started, products = time.perf_counter(), 400
    for _ in range(products):
        states @ inner
    return 2 * TOKENS * HIDDEN * INNER * products / (time.perf_counter() - started) / 1e9


def main() -> None:
    texts = read(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100)
    on_torch, on_openvino = (find_model("bundled", backend).open() for backend in ("torch", "openvino"))
    model = on_torch.model  # type: ignore[attr-defined]
    prompt, spelled = on_torch.prompts["document"], [model_text(text) for text in texts]
    torch.set_num_threads(settings.threads())

    def plain() -> np.ndarray:
        options = {"prompt": prompt, "batch_size": PLAIN_BATCH, "show_progress_bar": False}
        return np.asarray(model.encode(spelled, **options))

    ways: dict[str, Callable[[], np.ndarray]] = {
        f"sentence-transformers, batches of {PLAIN_BATCH}": plain,
        "Warraq on PyTorch": lambda: on_torch.encode_passages(texts),
        "Warraq on OpenVINO": lambda: on_openvino.encode_passages(texts),
    }
    reference, took = plain(), {name: list[float]() for name in ways}
    cosines = {}
    for _ in range(RUNS):
        for name, way in ways.items():
            started = time.perf_counter()
            vectors = way()
            took[name].append(time.perf_counter() - started)
            cosines[name] = float((vectors * reference).sum(axis=1).min())
    tokens = sum(on_torch.count_tokens(text) for text in texts)
    print(f"{len(texts)} texts of {tokens / len(texts):.0f} tokens on average, {settings.threads()} threads")
    first = statistics.median(next(iter(took.values())))
    for name, seconds in took.items():
        middle = statistics.median(seconds)
        rate, times = f"{len(texts) / middle:6.1f}/s", f"{first / middle:4.2f} times"
        print(f"{name:42} {rate}  {times}  cosine ≥ {cosines[name]:.6f}")
    middle = statistics.median(took["Warraq on OpenVINO"])
    products = 2 * tokens * LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * INNER)
    reached = products / middle / 1e9
    print(f"OpenVINO: {reached:.0f} GFLOP/s in the model's products; by themselves they reach {peak():.0f}")


if __name__ == "__main__":
    main()
