"""The archive for assistants, by the official client: in memory, and as a process with the real model."""

import json
import sys

import anyio
import pytest
from mcp import Client, StdioServerParameters

from indexer import build_index
from indexer.assistant import Archive, make_server
from tests.support.archives import write_small
from tests.support.fakes import FakeModel
from tests.support.loaded_model import LoadedModel
from tests.support.paths import ROOT
from tests.support.search_indexes import open_fake_index


@pytest.fixture
def folder(tmp_path):
    build_index(write_small(tmp_path / "archive"), tmp_path / "index", FakeModel())
    return tmp_path


@pytest.fixture
def ask(folder, monkeypatch):
    """Call a tool of a server; returns whether that is an error, and its answer."""
    monkeypatch.setattr("indexer.assistant.open_searcher", lambda index, *_: open_fake_index(index))
    server = make_server(folder / "index")

    def ask(tool, **arguments):
        async def call():
            async with Client(server) as client:
                return await client.call_tool(tool, arguments)

        return answer_of(anyio.run(call))

    return ask


def answer_of(result):
    text = result.content[0].text
    return result.is_error, text if result.is_error else json.loads(text)


def test_hit_can_be_read_in_its_article_and_proved(ask, folder):
    failed, answer = ask("search", question="grain corridor in Geneva", limit=2, lang="en")
    assert not failed
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2]
    hit = answer["hits"][0]
    assert hit["text"].startswith("Envoys met in Geneva")
    _, article = ask("article", doc_id=hit["source"]["doc_id"])
    (passage,) = [each for each in article["passages"] if each["passage"] == hit["source"]["passage"]]
    assert passage["text"] == hit["text"]
    assert article["sha256"] == hit["source"]["sha256"]
    assert article["next"] is None
    assert ask("verify", hit=hit)[1]["proven"]
    assert not ask("verify", hit=hit | {"text": "Envoys never met."})[1]["proven"]
    (folder / "archive" / "talks.txt").write_text("Another text.\n")
    _, proof = ask("verify", hit=hit)
    assert (proof["proven"], proof["hits"][0]["changed"]) == (False, True)
    _, sources = ask("sources")
    assert {each["name"]: each["articles"] for each in sources["sources"]} == {"": 1, "ar": 1}


def test_errors_say_what_is_wrong(ask):
    for tool, arguments, reason in (
        ("search", {"question": ""}, "The question is empty"), ("search", {"question": "-grain"}, "only says what to leave out"),
        ("search", {"question": "x", "limit": 1_000}, "20"), ("search", {"question": "x", "published_from": "soon"}, "YYYY-MM-DD"),
        ("article", {"doc_id": "nobody.txt"}, "no article"), ("verify", {"hit": {"text": "x"}}, "no hit of a search"),
    ):  # fmt: skip
        failed, told = ask(tool, **arguments)
        assert failed
        assert reason in told, (tool, told)


def test_long_article_is_read_in_parts(tmp_path, monkeypatch):
    (tmp_path / "archive").mkdir()
    lines = [
        f"Envoys met for the time number {number} in Geneva to discuss the grain corridor."
        for number in range(120)
    ]
    (tmp_path / "archive" / "a.txt").write_text("Talks\n\n" + "\n\n".join(lines))
    build_index(tmp_path / "archive", tmp_path / "index", FakeModel())
    monkeypatch.setattr("indexer.assistant.open_searcher", lambda index, *_: open_fake_index(index))
    server, first, texts = make_server(tmp_path / "index"), 1, []

    async def read(first):
        async with Client(server) as client:
            return await client.call_tool("article", {"doc_id": "a.txt", "first": first})

    while first:
        _, part = answer_of(anyio.run(read, first))
        assert len(part["passages"]) <= 50
        texts += [each["text"] for each in part["passages"]]
        first = part["next"]
    assert " ".join(texts).count("Envoys met") == 120


def test_the_next_generation_is_served_without_a_restart(ask, folder):
    before = ask("search", question="grain")[1]["generation"]
    (folder / "archive" / "new.txt").write_text("A new article about the winter.\n")
    build_index(folder / "archive", folder / "index", FakeModel())
    assert ask("search", question="grain")[1]["generation"] != before
    assert not ask("article", doc_id="new.txt")[0]


def test_index_with_a_damaged_generation_is_opened_once(folder, monkeypatch):
    (folder / "archive" / "new.txt").write_text("A new article about the winter.\n")
    newest = build_index(folder / "archive", folder / "index", FakeModel()).generation
    (folder / "index" / "generations" / newest / "vectors.faiss").write_bytes(b"damaged")
    opened = []

    def open_counted(index, *_):
        opened.append(index)
        return open_fake_index(index)

    monkeypatch.setattr("indexer.assistant.open_searcher", open_counted)
    held = Archive(folder / "index", None, None)
    assert {held.searcher().generation for _ in range(3)} != {newest}
    assert len(opened) == 1


def test_assistant_speaks_with_the_program_over_standard_input(encoder, tmp_path):
    build_index(write_small(tmp_path / "archive"), tmp_path / "index", LoadedModel(encoder))
    program = StdioServerParameters(
        command=sys.executable,
        args=["-m", "indexer", "mcp", "--index", str(tmp_path / "index")],
        cwd=str(ROOT),
    )

    async def talk():
        async with Client(program) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            answer = await client.call_tool(
                "search", {"question": "Who met in Geneva about grain?", "limit": 1}
            )
            hit = json.loads(answer.content[0].text)["hits"][0]
            proof = await client.call_tool("verify", {"hit": hit})
            error = await client.call_tool("article", {"doc_id": "nobody"})
            return client.server_info.name, client.instructions, tools, hit, answer_of(proof), error.is_error

    name, instructions, tools, hit, proof, failed = anyio.run(talk)
    assert (name, set(tools)) == ("warraq", {"search", "article", "sources", "verify"})
    assert "Quote only the exact words" in instructions
    assert tools["search"].input_schema["required"] == ["question"]
    assert "grain corridor" in hit["text"]
    assert proof == (False, proof[1] | {"proven": True})
    assert failed
