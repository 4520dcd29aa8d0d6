# SPDX-License-Identifier: Apache-2.0
"""Filters: from checked JSON to the engine's."""

import numpy
import qdrant_edge as edge

from .errors import format_error, wrong_input
from .requests import point_id

MATCHES = [
    (
        "value",
        lambda value: edge.MatchValue(numpy.bool_(value) if type(value) is bool else value),
    ),  # else it is 1
    ("text", edge.MatchText),
    ("text_any", edge.MatchTextAny),
    ("phrase", edge.MatchPhrase),
    ("prefix", edge.MatchPrefix),
    ("substring", edge.MatchSubstring),
    ("any", edge.MatchAny),
    ("except", edge.MatchExcept),
]


def given(value, *keys):
    """The keys that are there and not null: to a server those are the same."""
    return {key: value[key] for key in keys if value.get(key) is not None}


def conditions(value):
    if value is None:
        return None
    return [condition(one) for one in (value if type(value) is list else [value])]


def filter_of(value):
    """The engine's filter, or None."""
    if value is None:
        return None
    at_least = value.get("min_should")
    return edge.Filter(
        must=conditions(value.get("must")),
        should=conditions(value.get("should")),
        must_not=conditions(value.get("must_not")),
        min_should=at_least and edge.MinShould(conditions(at_least["conditions"]), at_least["min_count"]),
    )


def condition(value):
    try:
        return condition_unchecked(value)
    except (ValueError, OverflowError, TypeError) as error:
        raise format_error(str(error)) from None


def condition_unchecked(value):
    if "key" in value:
        return field(value)
    if "has_id" in value:
        return edge.HasIdCondition({point_id(one) for one in value["has_id"]})
    if "has_vector" in value:
        return edge.HasVectorCondition(value["has_vector"])
    if "is_empty" in value:
        return edge.IsEmptyCondition(value["is_empty"]["key"])
    if "is_null" in value:
        return edge.IsNullCondition(value["is_null"]["key"])
    if "nested" in value:
        return edge.NestedCondition(value["nested"]["key"], filter_of(value["nested"]["filter"]))
    if "slice" in value:
        raise wrong_input("this stand-in has no slice conditions")
    return filter_of(value)


def field(value):
    parts = given(value, "values_count", "is_empty", "is_null")
    if "values_count" in parts:
        parts["values_count"] = edge.ValuesCount(**given(parts["values_count"], "lt", "gt", "lte", "gte"))
    if value.get("match") is not None:
        parts["match"] = match(value["match"])
    if value.get("range") is not None:
        parts["range"] = bounds(given(value["range"], "lt", "gt", "lte", "gte"))
    if value.get("geo_bounding_box") is not None:
        box = value["geo_bounding_box"]
        parts["geo_bounding_box"] = edge.GeoBoundingBox(place(box["top_left"]), place(box["bottom_right"]))
    if value.get("geo_radius") is not None:
        circle = value["geo_radius"]
        parts["geo_radius"] = edge.GeoRadius(place(circle["center"]), circle["radius"])
    if value.get("geo_polygon") is not None:
        polygon = value["geo_polygon"]
        parts["geo_polygon"] = edge.GeoPolygon(
            line(polygon["exterior"]), [line(one) for one in polygon.get("interiors") or []]
        )
    if not parts:
        raise format_error("Bad condition: at least one field condition must be specified")
    return edge.FieldCondition(value["key"], **parts)


def match(value):
    for key, kind in MATCHES:
        if key in value:
            return kind(value[key])
    raise format_error("data did not match any variant of untagged enum MatchInterface")


def bounds(value):
    if any(type(bound) is str for bound in value.values()):
        return edge.RangeDateTime(**value)
    return edge.RangeFloat(**value)


def place(value):
    return edge.GeoPoint(lon=value["lon"], lat=value["lat"])


def line(value):
    return [place(point) for point in value["points"]]
