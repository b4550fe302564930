"""The bundled model on OpenVINO: the network and the tokenizer, made once and read from their folder.

Nothing here imports torch, so the model is ready in about a second.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import LifoQueue
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexer import settings
from indexer.embedding.bundled.made_once import made_once
from indexer.embedding.bundled.model import PROMPTS, WINDOW, cache_folder, weights_path
from indexer.embedding.bundled.network import build_network
from indexer.embedding.bundled.quiet_openvino import ov
from indexer.embedding.bundled.tokenizer import read_tokenizer, write_tokenizer
from indexer.embedding.bundled.weights import Weights
from indexer.errors import ModelError
from indexer.text.normalize import model_text

VERSION = 1  # raised when the same weights would make other files
NETWORK = "network.xml"
_CODE_POINTS_A_TOKEN = 64  # the most that one token covers; a longer text is cut before it is read


def openvino_model(source: Callable[[], Path] = weights_path) -> Path:
    """Return the folder of the model's network and tokenizer; make it where it is missing or damaged."""
    return made_once(cache_folder("openvino", VERSION), _write_model, source)


def _write_model(folder: Path, weights: Weights) -> None:
    ov.save_model(build_network(weights), folder / NETWORK, compress_to_fp16=False)
    write_tokenizer(folder, weights)


def open_encoder(name: str, weights: str) -> "OpenVinoEncoder":
    """Load the bundled model; `name` and `weights` are what the encoder says of itself. Raises ModelError."""
    folder = openvino_model()
    try:
        return OpenVinoEncoder(name, weights, folder)
    except RuntimeError as error:
        raise ModelError(
            f"OpenVINO cannot run the bundled model on this machine: {error}",
            remedy="warraq build --backend torch",
        ) from error


class OpenVinoEncoder:
    """An Encoder of the bundled model that encodes one text on one thread, and as many at once as may be.

    The vector of a text depends on the text alone: not on its neighbours, nor on the number of threads.
    """

    backend: Literal["openvino"] = "openvino"

    def __init__(self, name: str, weights: str, folder: Path) -> None:
        threads = settings.threads()
        self.name, self.weights, self.prompts, self.window = name, weights, dict(PROMPTS), WINDOW
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="encode")
        compiled = self._threads.submit(_compiled_network, folder / NETWORK, threads)
        self.tokens = read_tokenizer(folder)  # meanwhile
        network = compiled.result()
        self.dimension = int(network.output(0).partial_shape[1].get_length())
        self._requests = LifoQueue[Any]()
        for _ in range(threads):
            self._requests.put(network.create_infer_request())
        # Before any other thread: OpenVINO's binding sets itself up in the first call, and two threads in it
        # at once wait for each other for ever.
        self.encode_queries([""])

    def count_tokens(self, text: str) -> int:
        return len(self.tokens(self.prompts["document"] + model_text(text)))

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts, self.prompts["document"])

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encode(texts, self.prompts["query"])

    def _encode(self, texts: Sequence[str], prompt: str) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimension), np.float32)

        def encode(place: int) -> None:
            vectors[place] = self._vector(texts[place], prompt)

        if len(texts) == 1:
            encode(0)
        else:
            # The longest first, so that all threads end at the same time.
            places = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
            list(self._threads.map(encode, places))
        return vectors

    def _vector(self, text: str, prompt: str) -> NDArray[np.float32]:
        ids = self.tokens(prompt + model_text(text[: self.window * _CODE_POINTS_A_TOKEN]), self.window)
        request = self._requests.get()
        try:
            return request.infer([np.array([ids], np.int32)])[0][0]  # type: ignore[no-any-return]
        finally:
            self._requests.put(request)


def _compiled_network(path: Path, threads: int) -> ov.CompiledModel:
    settings_of_openvino = {
        "NUM_STREAMS": threads,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # some processors would round the activations to 8 bits
    }
    return ov.Core().compile_model(path, "CPU", settings_of_openvino)
