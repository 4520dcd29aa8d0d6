# SPDX-License-Identifier: Apache-2.0
"""What comes in: JSON, checked by the official models, and point ids."""

import functools
import re
import uuid
from typing import List, Optional, Union

import orjson
import qdrant_edge as edge
from pydantic import BaseModel, StrictFloat, TypeAdapter, ValidationError

from .errors import format_error, invalid, wrong_input
from .models import models

CONDITION = (
    'Expected some form of condition, which can be a field condition (like {"key": ..., "match": ... }),'
    " or some other mentioned in the documentation: "
    "https://qdrant.tech/documentation/concepts/filtering/#filtering-conditions"
)


# The newest client no longer searches by these, but servers answer to them.
class NamedVector(BaseModel, extra="forbid"):
    name: str
    vector: List[StrictFloat]


class NamedSparseVector(BaseModel, extra="forbid"):
    name: str
    vector: models.SparseVector


class SearchRequest(BaseModel, extra="forbid"):
    vector: Union[List[StrictFloat], NamedVector, NamedSparseVector]
    limit: int
    offset: Optional[int] = None
    filter: Optional[models.Filter] = None
    params: Optional[models.SearchParams] = None
    with_payload: Optional[models.WithPayloadInterface] = None
    with_vector: Optional[models.WithVector] = None
    score_threshold: Optional[float] = None
    shard_key: Optional[models.ShardKeySelector] = None


class SearchRequestBatch(BaseModel, extra="forbid"):
    searches: List[SearchRequest]


class RecommendRequest(BaseModel, extra="forbid"):
    positive: Optional[List[Union[models.ExtendedPointId, List[StrictFloat]]]] = None
    negative: Optional[List[Union[models.ExtendedPointId, List[StrictFloat]]]] = None
    strategy: Optional[models.RecommendStrategy] = None
    limit: int
    offset: Optional[int] = None
    filter: Optional[models.Filter] = None
    params: Optional[models.SearchParams] = None
    with_payload: Optional[models.WithPayloadInterface] = None
    with_vector: Optional[models.WithVector] = None
    score_threshold: Optional[float] = None
    using: Optional[str] = None
    lookup_from: Optional[models.LookupLocation] = None
    shard_key: Optional[models.ShardKeySelector] = None


class SearchResponse(BaseModel):
    result: List[models.ScoredPoint]
    status: str
    time: float


class SearchBatchResponse(BaseModel):
    result: List[List[models.ScoredPoint]]
    status: str
    time: float


OWN = {
    "SearchRequest": SearchRequest,
    "SearchRequestBatch": SearchRequestBatch,
    "RecommendRequest": RecommendRequest,
    "SearchResponse": SearchResponse,
    "SearchBatchResponse": SearchBatchResponse,
}


@functools.cache
def adapter(name):
    return TypeAdapter(OWN.get(name) or getattr(models, name))


def loads(body):
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body:
            raise format_error("EOF while parsing a value at line 1 column 0") from None
        raise format_error(
            "%s at line %d column %d" % (error.msg.split(":")[0], error.lineno, error.colno)
        ) from None


def parse(body, name):
    """The body of a request as JSON, if the model of that name takes it.

    Keys that it does not know are left out, as a server does, except in a filter, where a server
    refuses them as well.
    """
    value = loads(body)
    if type(value) is dict and "with_vectors" in value:  # another name for the same
        value["with_vector"] = value.pop("with_vectors")
    check(value, name)
    return value


def check(value, name):
    """Raises where the model does not take the value; removes what that does not know."""
    try:
        adapter(name).validate_json(orjson.dumps(lighter(value)), strict=True)
    except ValidationError as error:
        unknown = [problem["loc"] for problem in error.errors()]
        if not all(problem["type"] == "extra_forbidden" for problem in error.errors()) or any(
            part in ("filter", "must", "should", "must_not") for place in unknown for part in place[:-1]
        ):
            raise refusal(error) from None
        if not all([drop(value, place) for place in unknown]):
            raise refusal(error) from None
        check(value, name)


ID_LISTS = ("has_id", "ids", "points")
ID_TYPES = {int, str}


def lighter(value):
    """Without most of a long list of ids: a model takes its time, and point_id checks each of them."""
    if type(value) is dict:
        return {
            key: one[:1] if key in ID_LISTS and is_long(one) else lighter(one) for key, one in value.items()
        }
    if type(value) is list and value and type(value[0]) is dict:
        return [lighter(one) for one in value]
    return value


def is_long(value):
    return type(value) is list and len(value) > 100 and set(map(type, value)) <= ID_TYPES


def drop(value, place):
    """Removes the key at that place; whether it is there."""
    for part in place[:-1]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(value, dict) and value.pop(place[-1], value) is not value


def refusal(error):
    problem = error.errors()[0]
    place = [str(part) for part in problem["loc"]]
    if any(part in ("must", "should", "must_not", "min_should") for part in place):
        return format_error(CONDITION)
    if problem["type"] == "missing":
        return format_error("missing field `%s`" % place[-1])
    if problem["type"] == "extra_forbidden":
        return format_error("unknown field `%s`" % place[-1])
    return format_error("%s: %s" % (".".join(place), problem["msg"]))


# The forms of a UUID that Qdrant knows; Python knows more.
HYPHENATED = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
UUID = re.compile("(urn:uuid:)?%s|{%s}|[0-9a-fA-F]{32}" % (HYPHENATED, HYPHENATED))


def point_id(value):
    """An id as the engine takes it."""
    if type(value) is int and 0 <= value < 2**64:
        return value
    if type(value) is str and UUID.fullmatch(value):
        return value
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    raise format_error(
        "value %s is not a valid point ID, valid values are either an unsigned integer or a UUID" % text
    )


def path_id(text):
    """An id in a path."""
    if text.isascii() and text.isdigit() and int(text) < 2**64:
        return int(text)
    if UUID.fullmatch(text):
        return text
    raise wrong_input('Can not recognize "%s" as point id' % text)


def shown_id(value):
    """The engine's, or what one of these functions made of a request's."""
    return value if type(value) is int else str(uuid.UUID(value) if type(value) is str else value)


NUMBERS = {float, int}


def is_dense(value):
    return type(value) is list and set(map(type, value)) <= NUMBERS


def sparse(value):
    indices, values = value["indices"], value["values"]
    if len(indices) != len(values):
        raise invalid("JSON body", "values", "must be the same length as indices")
    if len(set(indices)) != len(indices):
        raise invalid("JSON body", "indices", "must be unique")
    try:
        return edge.SparseVector(indices, values)
    except (OverflowError, TypeError) as error:
        raise format_error(str(error)) from None


def vector(value):
    """One vector as the engine takes it, of any kind that a model lets through."""
    if type(value) is list:
        return value
    if type(value) is dict and "indices" in value and "values" in value:
        return sparse(value)
    raise wrong_input("Inference is not configured on this server")


def vectors(value):
    """The vectors of a point: the only one, or those by name."""
    if type(value) is list:
        return value
    if type(value) is dict and not ("text" in value and "model" in value):
        return {name: vector(one) for name, one in value.items()}
    return vector(value)


# In a large upsert nearly all is numbers: those are checked here, at once, and a model sees the rest.
PLACEHOLDER = [0.0]


def without_numbers(points):
    def one(value):
        return PLACEHOLDER if is_dense(value) and value else value

    result = []
    for point in points if type(points) is list else ():
        if type(point) is dict and "vector" in point:
            value = point["vector"]
            if type(value) is dict:
                value = {name: one(part) for name, part in value.items()}
            point = {**point, "vector": one(value)}
        result.append(point)
    return result


def check_points(value, name):
    """Whether the model of that name takes these points; unknown keys of a point are left out."""
    if name == "PointInsertOperations":
        name = "PointsBatch" if type(value) is dict and "batch" in value else "PointsList"
    if type(value) is dict and "points" in value:
        value = {**value, "points": without_numbers(value["points"])}
    elif type(value) is dict and type(value.get("batch")) is dict:
        value = {**value, "batch": without_columns(value["batch"])}
    check(value, name)


def without_columns(batch):
    result = dict(batch)
    rows, payloads = batch.get("vectors"), batch.get("payloads")
    if type(rows) is list and rows and all(is_dense(row) and row for row in rows):
        result["vectors"] = [PLACEHOLDER] * len(rows)
    if type(payloads) is list:  # of which the model does not know that one may be null
        result["payloads"] = [{} if payload is None else payload for payload in payloads]
    return result


def columns(batch):
    """The rows of a columnar upsert."""
    ids, given, payloads = batch["ids"], batch["vectors"], batch.get("payloads")
    named = given if type(given) is dict else None
    for column in [payloads] if payloads is not None else []:
        check_length(ids, column, "payloads")
    for column in named.values() if named is not None else [given]:
        check_length(ids, column, "vectors")
    for i, row_id in enumerate(ids):
        row = {name: column[i] for name, column in named.items()} if named is not None else given[i]
        yield {"id": row_id, "vector": row, "payload": payloads[i] if payloads is not None else None}


def check_length(ids, column, what):
    if len(ids) != len(column):
        raise invalid(
            "JSON body",
            "batch.batch",
            "number of ids and %s must be equal (%d != %d)" % (what, len(ids), len(column)),
        )
