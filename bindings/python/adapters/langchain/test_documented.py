# SPDX-License-Identifier: Apache-2.0
"""What the documents show: LangChain on Milvus, with documents that mean something."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import BACKENDS
from embedding import MiniLMEmbeddings
from langchain_core.documents import Document

import simplugin
from simplugin.langchain import Milvus, SimpluginVectorStore

DOCUMENTS = [
    Document(page_content=text, metadata={"source": source, "page": page})
    for page, (source, text) in enumerate(
        [
            ("milvus.md", "Milvus is a vector database for massive datasets and high-throughput workloads."),
            ("milvus.md", "An IVF index looks into nprobe clusters; more of them find more and take longer."),
            ("milvus.md", "Call flush to write inserted rows to disk, and load to bring a collection into memory."),
            ("milvus.md", "A partition divides a collection, so that a search can be restricted to a part of it."),
            ("kitchen.md", "Whisk the eggs with sugar until pale, then fold in the flour and bake for forty minutes."),
            ("kitchen.md", "Let the bread dough rise in a warm place until it has doubled in size."),
            ("kitchen.md", "Simmer the tomatoes with garlic and basil for a simple pasta sauce."),
            ("garden.md", "Prune the apple trees in late winter, before the buds begin to swell."),
            ("garden.md", "Water the seedlings in the morning, and never in the heat of the day."),
            ("astronomy.md", "The rings of Saturn are made of countless pieces of ice and rock."),
            ("astronomy.md", "A lunar eclipse happens when the Earth stands between the Sun and the Moon."),
        ]
    )
]
QUESTIONS = {
    "Which database stores embeddings at scale?": 0,
    "How do I persist data after inserting it?": 2,
    "a recipe for a cake": 4,
    "noodles for dinner": 6,
    "when should fruit trees be cut back?": 7,
    "What are the rings of a planet made of?": 9,
    "Why does the moon turn dark?": 10,
}


@pytest.fixture
def collection_name() -> str:
    """The document's, with something behind it: the server is not ours alone."""
    return f"langchain_docs_{uuid.uuid4().hex[:8]}"


@pytest.mark.skipif("milvus" not in BACKENDS, reason="no Milvus server")
def test_milvus_as_written(minilm: MiniLMEmbeddings, collection_name: str) -> None:
    """R222, R223, R224: the document's own calls, but for the model, and the host and port of the server."""
    documents, embeddings = DOCUMENTS, minilm
    address = urlsplit(BACKENDS["milvus"]["uri"])
    connection_args = {"host": address.hostname, "port": str(address.port)}

    vectorstore = Milvus.from_documents(
        documents,
        embeddings,
        connection_args=connection_args,
        collection_name=collection_name,
    )
    vectorstore.close()

    vectorstore = Milvus(
        embeddings,
        connection_args=connection_args,
        collection_name=collection_name,
    )
    for query, number in QUESTIONS.items():
        results = vectorstore.similarity_search(query, k=4)
        assert len(results) == 4
        assert results[0].page_content == DOCUMENTS[number].page_content
        assert results[0].metadata == DOCUMENTS[number].metadata
    assert vectorstore.index.backend == "milvus"
    vectorstore.delete_collection()


def test_every_backend(
    backend: str, parameters: dict[str, Any], minilm: MiniLMEmbeddings, collection_name: str
) -> None:
    """R222, R223, R224: the same on any backend, and with the document's filters (R211, R212)."""
    settings: dict[str, Any] = {"backend": backend, "parameters": parameters, "collection_name": collection_name}
    with SimpluginVectorStore.from_documents(DOCUMENTS, minilm, metric="cosine", **settings) as store:
        assert store.index.size() == len(DOCUMENTS)
    with SimpluginVectorStore(minilm, **settings) as store:
        assert store.index.metric == "cosine"
        for query, number in QUESTIONS.items():
            found = store.similarity_search(query, k=4)
            assert found[0].page_content == DOCUMENTS[number].page_content
        question = "what makes it quick?"
        for filter in ('source == "garden.md"', {"source": "garden.md"}):
            found = store.similarity_search(question, filter=filter)
            assert {document.metadata["source"] for document in found} == {"garden.md"}
        found = store.similarity_search(question, k=9, filter="page >= 2 and page <= 5")
        assert sorted(document.metadata["page"] for document in found) == [2, 3, 4, 5]
        store.delete_collection()


def test_the_configured_backend(minilm: MiniLMEmbeddings) -> None:
    """Without a backend it is the default one, which needs no server."""
    with SimpluginVectorStore.from_documents(DOCUMENTS[:4], minilm) as store:
        assert store.index.backend == "sklearn"
        assert store.similarity_search("how many clusters does an index look into?", k=1)[0].metadata["page"] == 1
        store.delete_collection()


def test_the_page() -> None:
    """The programs in docs/langchain.md run as they stand, and print what it says."""
    text = (Path(__file__).resolve().parents[4] / "docs" / "langchain.md").read_text("utf-8")
    found = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert found
    for program, printed in found:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.stdout == printed, done.stderr
    assert set(re.findall(r"\$\w+", text)) >= set(operators())


@pytest.mark.parametrize("name", ["codec", "filters"])
def test_docstrings(name: str) -> None:
    """The examples in the modules."""
    result = doctest.testmod(importlib.import_module(f"simplugin.langchain.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


def operators() -> list[str]:
    """Those of dict filters, as an error lists them."""
    from simplugin.langchain.filters import Conditions
    from simplugin.langchain.layout import Layout

    with pytest.raises(ValueError, match="operators") as raised:
        Conditions(Layout()).text({"page": {"$about": 3}})
    assert not isinstance(raised.value, simplugin.SimpluginError)
    return re.findall(r"\$\w+", str(raised.value).split("operators are", 1)[1])
