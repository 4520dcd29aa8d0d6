# SPDX-License-Identifier: Apache-2.0
"""Adding, getting and deleting documents, blocking and awaited."""

from __future__ import annotations

import re
import uuid
from typing import Any

import numpy as np
import pytest
from conftest import Make
from embedding import Counted, Places
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, aindex, index

import simplugin
from simplugin.langchain import SimpluginVectorStore


def test_ids(store: SimpluginVectorStore) -> None:
    """Ids are made where none are given, and what has one already is replaced."""
    ids = store.add_texts(["a", "b"])
    assert len(set(ids)) == 2
    assert all(uuid.UUID(id).version == 4 for id in ids)
    ids = store.add_texts(["c", "d"], ids=["mine", None])
    assert ids[0] == "mine"
    assert uuid.UUID(ids[1])
    assert store.add_texts(["e"], [{"n": 1}], ids=["mine"]) == ["mine"]
    assert store.get_by_ids(["mine"]) == [Document(id="mine", page_content="e", metadata={"n": 1})]
    assert store.index.size() == len(set(store.ids())) == 4
    assert set(ids) < set(store.ids())


def test_twice_in_one_call(store: SimpluginVectorStore) -> None:
    """Of an id that comes twice the last document counts."""
    assert store.add_texts(["1 0 0 first", "0 1 0 last"], ids=["x", "x"]) == ["x", "x"]
    assert [document.page_content for document in store.get_by_ids(["x"])] == ["0 1 0 last"]
    assert store.similarity_search_with_score("0 1 0")[0][1] == pytest.approx(0, abs=1e-6)
    store.add_texts(["1", "2", "3"], ids=["y", "z", "y"], batch_size=1)
    assert [document.page_content for document in store.get_by_ids(["y"])] == ["3"]


def test_replacing_leaves_nothing(store: SimpluginVectorStore) -> None:
    """Metadata that is not given again is gone, for filters too."""
    store.add_texts(["a"], [{"old": 1, "both": 1}], ids=["x"])
    store.add_texts(["a"], [{"both": 2}], ids=["x"])
    assert store.get_by_ids(["x"])[0].metadata == {"both": 2}
    assert store.similarity_search("a", filter={"old": 1}) == []
    assert len(store.similarity_search("a", filter={"both": 2})) == 1


def test_nothing(store: SimpluginVectorStore) -> None:
    """Empty inputs, and an index without a vector: nothing is found, and nothing fails."""
    assert store.add_texts([]) == []
    assert store.add_documents([]) == []
    assert store.similarity_search("x") == []
    assert store.similarity_search("x", filter={"page": 3}) == []
    assert store.max_marginal_relevance_search("x") == []
    assert store.similarity_search_with_relevance_scores("x", score_threshold=0.5) == []
    assert store.get_by_ids([]) == []
    assert store.get_by_ids(["x"]) == []
    assert store.ids() == []
    assert store.delete([]) is True
    assert store.delete() is True
    assert store.delete(filter={"page": 3}) is True
    store.add_texts([""], [{}], ids=["empty"])
    assert store.similarity_search("x") == [Document(id="empty", page_content="", metadata={})]


def test_order_of_ids(store: SimpluginVectorStore) -> None:
    """get_by_ids follows the given order, leaves out what is not there, and repeats what is asked twice."""
    store.add_texts(["a", "b", "c"], ids=["1", "2", "3"])
    found = store.get_by_ids(["3", "none", "1", "3"])
    assert [document.id for document in found] == ["3", "1", "3"]


def test_delete(store: SimpluginVectorStore) -> None:
    """By ids, by a filter as text or dict, or all; what is not there is no error."""
    store.add_texts(list("abcdef"), [{"n": n, "even": n % 2 == 0} for n in range(6)], ids=list("abcdef"))
    assert store.delete(["a", "nobody", "a"]) is True
    assert store.delete(filter="n == 1") is True
    assert store.delete(filter={"even": True, "n": {"$gt": 3}}) is True
    assert sorted(store.ids()) == ["c", "d", "f"]
    with pytest.raises(ValueError, match="either"):
        store.delete(["c"], filter={"n": 2})
    with pytest.raises(ValueError, match="says nothing"):
        store.delete(filter={})
    with pytest.raises(ValueError, match="filter"):
        store.delete(filter="n ==")
    assert sorted(store.ids()) == ["c", "d", "f"]
    assert store.delete() is True
    assert store.ids() == []
    store.add_texts(["again"])
    assert len(store.ids()) == 1


async def test_awaited(make: Make) -> None:
    """Everything for asyncio, with the embedding's own functions for it."""
    embedding = Counted()
    store = make(embedding)
    ids = await store.aadd_texts(["1 0 0", "0 1 0", "0 0 1"], [{"n": n} for n in range(3)], ids=["a", "b", None])
    assert ids[:2] == ["a", "b"]
    assert await store.aadd_documents([Document(id="d", page_content="1 1 0", metadata={"n": 3})]) == ["d"]
    query = "1 0.1 0"
    found = await store.asimilarity_search(query, k=2)
    assert [document.id for document in found] == ["a", "d"]
    assert found == await store.asimilarity_search_by_vector([1, 0.1, 0], k=2)
    scored = await store.asimilarity_search_with_score(query, k=2)
    assert scored == store.similarity_search_with_score(query, k=2)
    assert scored == await store.asimilarity_search_with_score_by_vector([1, 0.1, 0], k=2)
    relevant = await store.asimilarity_search_with_relevance_scores(query, k=4, score_threshold=0.9)
    assert [document.id for document, _ in relevant] == ["a"]
    assert await store.asearch(query, "mmr", k=1) == found[:1]
    diverse = await store.amax_marginal_relevance_search(query, k=2, lambda_mult=0.1)
    assert diverse == await store.amax_marginal_relevance_search_by_vector([1, 0.1, 0], k=2, lambda_mult=0.1)
    assert diverse == store.max_marginal_relevance_search(query, k=2, lambda_mult=0.1)
    assert [document.id for document in await store.aget_by_ids(["d", "x", "a"])] == ["d", "a"]
    assert sorted(await store.aids()) == sorted([*ids, "d"])
    assert await store.aids({"n": {"$gte": 3}}) == ["d"]
    assert await store.adelete(["a"]) is True
    assert await store.adelete(filter={"n": 3}) is True
    assert len(await store.aids()) == 2
    assert await store.adelete() is True
    assert await store.aids() == []
    blocking = [call for call in embedding.calls if not call.startswith("a")]
    assert blocking == ["embed_query"] * 2  # the two blocking searches above
    await store.adelete_collection()
    await store.aclose()


async def test_from_texts_awaited(backend: str, parameters: dict[str, Any]) -> None:
    """afrom_texts and afrom_documents, and the store as a context."""
    settings: dict[str, Any] = {"backend": backend, "parameters": parameters}
    embedding = Counted()
    async with await SimpluginVectorStore.afrom_texts(["a", "b"], embedding, [{"n": 1}, {}], **settings) as store:
        assert [document.metadata for document in await store.asimilarity_search("a", k=1)] == [{"n": 1}]
        assert embedding.calls == ["aembed_documents(2)", "aembed_query"]
        await store.adelete_collection()
    documents = [Document(id="x", page_content="a"), Document(page_content="b")]
    async with await SimpluginVectorStore.afrom_documents(documents, Places(), **settings) as store:
        assert len(await store.aids()) == 2
        assert len(await store.aget_by_ids(["x"])) == 1
        await store.adelete_collection()


def test_batches(make: Make) -> None:
    """1,500 documents: embedded and written 400 at a time, all there, in the order asked for."""
    embedding = Counted()
    store = make(embedding)
    texts = [f"text {n}" for n in range(1500)]
    ids = store.add_texts(texts, [{"n": n, "odd": n % 2 == 1} for n in range(1500)], batch_size=400)
    assert embedding.calls == ["embed_documents(400)"] * 3 + ["embed_documents(300)"]
    assert store.index.size() == 1500
    assert sorted(store.ids()) == sorted(ids)
    order = [ids[n] for n in np.random.default_rng(1).permutation(1500)]
    assert [document.id for document in store.get_by_ids(order)] == order
    assert [document.page_content for document in store.get_by_ids(ids)] == texts
    found = store.similarity_search("text 7", k=1200)
    assert found[0].metadata == {"n": 7, "odd": True}
    assert len({document.id for document in found}) == 1200
    assert len(store.similarity_search("text 7", k=1500, filter={"odd": True})) == 750
    with pytest.raises(ValueError, match="batch_size"):
        store.add_texts(["x"], batch_size=0)


def test_given_vectors(make: Make) -> None:
    """Texts with vectors that are there already need no embedding."""
    embedding = Counted()
    store = make(embedding)
    store.add_texts(["a", "b"], ids=["a", "b"], embeddings=np.eye(3, dtype=np.float32)[:2], batch_size=1)
    store.add_texts(["c"], ids=["c"], embeddings=[[0.0, 0.0, 1.0]])
    assert embedding.calls == []
    assert [document.id for document in store.similarity_search_by_vector([0, 0.2, 1], k=2)] == ["c", "b"]


def test_wrong_arguments(store: SimpluginVectorStore) -> None:
    """What does not fit together is said before anything is embedded or written."""
    with pytest.raises(ValueError, match=r"metadatas: there are 1, and 2 texts"):
        store.add_texts(["a", "b"], [{}])
    with pytest.raises(ValueError, match=r"ids: there are 1, and 2 texts"):
        store.add_texts(["a", "b"], ids=["x"])
    with pytest.raises(ValueError, match=r"embeddings: there are 1, and 2 texts"):
        store.add_texts(["a", "b"], embeddings=[[1, 2, 3]])
    with pytest.raises(TypeError, match=r"metadata: 'what': a value of type object"):
        store.add_texts(["a", "b"], [{}, {"what": object()}])
    with pytest.raises(simplugin.InvalidArgument, match="id"):
        store.add_texts(["a"], ids=["x" * 256])
    with pytest.raises(simplugin.InvalidArgument, match="not UTF-8"):
        store.add_texts(["\ud800"])
    assert store.ids() == []
    store.add_texts(["a"])
    with pytest.raises(simplugin.DimensionMismatch):
        store.similarity_search_by_vector([1, 2])
    with pytest.raises(simplugin.InvalidArgument, match="k"):
        store.similarity_search("a", k=0)
    with pytest.raises(TypeError, match="nonsense"):
        store.similarity_search("a", nonsense=1)
    with pytest.raises(TypeError, match="nonsense"):
        SimpluginVectorStore.from_texts(["a"], Places(), nonsense=1)


def test_without_an_embedding(backend: str, parameters: dict[str, Any]) -> None:
    """Vectors do, texts do not."""
    with SimpluginVectorStore(backend=backend, parameters=parameters) as store:
        assert store.embeddings is None
        store.add_texts(["a"], embeddings=[[1, 0]])
        assert len(store.similarity_search_by_vector([1, 0])) == 1
        with pytest.raises(ValueError, match="no embedding"):
            store.similarity_search("a")
        with pytest.raises(ValueError, match="no embedding"):
            store.add_texts(["a"])
        store.delete_collection()


def test_unicode(store: SimpluginVectorStore) -> None:
    """Text, metadata, keys and ids of any script."""
    texts = ["Größe", "东京の天気", "😀👩‍👩‍👧", "עברית", "a\u0000b", "\n\t\\\"'`", "e\u0301"]
    metadatas = [{"schlüssel ä": text, "名前": [text, "x"]} for text in texts]
    ids = store.add_texts(
        texts, metadatas, ids=[f"{number}-{text[:1]}" for number, text in enumerate(texts[:4])] + list("xyz")
    )
    found = store.get_by_ids(ids)
    assert [document.page_content for document in found] == texts
    assert [document.metadata for document in found] == metadatas
    for text, id in zip(texts, ids):
        if "\0" not in text or store.index.backend != "milvus":  # whose filters take no U+0000
            assert [one.id for one in store.similarity_search("q", filter={"schlüssel ä": text})] == [id]
            assert [one.id for one in store.similarity_search("q", filter={"名前": {"$contains": text}})] == [id]


def test_large_documents(store: SimpluginVectorStore) -> None:
    """Texts of 30,000 characters, as Milvus keeps them: 65,536 bytes with their metadata."""
    text = "long words " * 2800
    store.add_texts([text], [{"length": len(text), "start": text[:1000]}], ids=["x"])
    assert store.get_by_ids(["x"]) == [
        Document(id="x", page_content=text, metadata={"length": len(text), "start": text[:1000]})
    ]


def test_indexing(store: SimpluginVectorStore) -> None:
    """LangChain's index(): only what is new is written, and what is gone is deleted."""
    records = InMemoryRecordManager(namespace="test")
    records.create_schema()
    documents = [Document(page_content=text, metadata={"source": text[:1]}) for text in ("a1", "a2", "b1")]
    settings: Any = {"cleanup": "full", "source_id_key": "source", "key_encoder": "sha256"}
    counts = ["num_added", "num_updated", "num_skipped", "num_deleted"]
    first = index(documents, records, store, **settings)
    assert [first[count] for count in counts] == [3, 0, 0, 0]  # type: ignore[literal-required]
    changed = [*documents[:2], Document(page_content="b2", metadata={"source": "b"})]
    second = index(changed, records, store, **settings)
    assert [second[count] for count in counts] == [1, 0, 2, 1]  # type: ignore[literal-required]
    assert sorted(document.page_content for document in store.get_by_ids(store.ids())) == ["a1", "a2", "b2"]


async def test_indexing_awaited(store: SimpluginVectorStore) -> None:
    """aindex()."""
    records = InMemoryRecordManager(namespace="test")
    await records.acreate_schema()
    documents = [Document(page_content=f"text {n}", metadata={"source": "a"}) for n in range(150)]
    done = await aindex(documents, records, store, cleanup=None, key_encoder="sha256")
    assert done["num_added"] == 150
    done = await aindex(documents[:10], records, store, cleanup="full", key_encoder="sha256", source_id_key="source")
    assert (done["num_skipped"], done["num_deleted"]) == (10, 140)
    assert len(await store.aids()) == 10


def test_as_retriever(store: SimpluginVectorStore) -> None:
    """Every kind of retriever, with its settings, and the names LangSmith shows."""
    store.add_texts(["1 0 0", "0.9 0.1 0", "0 1 0", "-1 0 0"], [{"n": n} for n in range(4)])
    plain = store.as_retriever(search_kwargs={"k": 2})
    assert [document.metadata["n"] for document in plain.invoke("1 0 0")] == [0, 1]
    assert plain.tags == ["SimpluginVectorStore", "Places"]
    filtered = store.as_retriever(search_kwargs={"filter": {"n": {"$gte": 2}}, "timeout": 30})
    assert [document.metadata["n"] for document in filtered.invoke("1 0 0")] == [2, 3]
    near = store.as_retriever(search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.95})
    assert [document.metadata["n"] for document in near.invoke("1 0 0")] == [0, 1]
    mmr = store.as_retriever(search_type="mmr", search_kwargs={"k": 2, "fetch_k": 3, "lambda_mult": 0.1})
    assert [document.metadata["n"] for document in mmr.invoke("1 0 0")] == [0, 2]


def test_repr(store: SimpluginVectorStore) -> None:
    """It names what was asked for."""
    assert re.fullmatch(r"SimpluginVectorStore\('a new collection'\)", repr(store))
