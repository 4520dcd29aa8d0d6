# SPDX-License-Identifier: Apache-2.0
"""Queries: from checked JSON to the engine's, and points from it to JSON."""

import numpy
import qdrant_edge as edge

from .errors import format_error, invalid, not_found, wrong_input
from .filters import condition, filter_of, given, place
from .requests import point_id, shown_id, vector

DIRECTIONS = {"asc": edge.Direction.Asc, "desc": edge.Direction.Desc}


def payload_wanted(value, default=False):
    if value is None:
        return default
    if type(value) is not dict:
        return value
    if "include" in value:
        return edge.PayloadSelector.Include(value["include"])
    return edge.PayloadSelector.Exclude(value["exclude"])


def params(value):
    if value is None:
        return None
    extra = given(value, "hnsw_ef", "exact", "indexed_only")
    if value.get("quantization"):
        extra["quantization"] = edge.QuantizationSearchParams(
            **given(value["quantization"], "ignore", "rescore", "oversampling")
        )
    if value.get("acorn"):
        extra["acorn"] = edge.AcornSearchParams(**given(value["acorn"], "enable", "max_selectivity"))
    return edge.SearchParams(**extra)


def limit_of(request, default):
    limit = request.get("limit")
    if limit is None:
        return default
    if limit < 1:
        raise invalid("JSON body", "limit", "value %d invalid, must be 1 or larger" % limit)
    return limit


def offset_of(request):
    offset = request.get("offset") or 0
    if offset < 0:
        raise format_error("invalid value: integer `%d`, expected usize" % offset)
    return offset


def order_by(value):
    if type(value) is str:
        value = {"key": value}
    try:
        return edge.OrderBy(
            value["key"], DIRECTIONS.get(value.get("direction") or "asc"), value.get("start_from")
        )
    except (ValueError, TypeError) as error:
        raise format_error(str(error)) from None


class Query:
    """One query of a collection: looks up the vectors of the points it names, and leaves those out."""

    def __init__(self, collection, request):
        self.collection = collection
        self.request = request
        self.named = []

    def wanted(self):
        request = self.request
        score = request.get("query")
        prefetches = self.prefetches(request)
        if type(score) is dict and (score.get("fusion") or score.get("rrf")) and not prefetches:
            raise wrong_input("cannot apply Fusion without prefetches")
        return edge.QueryRequest(
            limit_of(request, 10),
            offset=offset_of(request),
            query=self.scoring(score, request),
            prefetches=prefetches,
            with_vector=request.get("with_vector") or False,
            with_payload=payload_wanted(request.get("with_payload")),
            filter=self.filter(request),
            score_threshold=request.get("score_threshold"),
            params=params(request.get("params")),
        )

    def prefetches(self, request):
        value = request.get("prefetch")
        if not value:
            return []
        return [self.prefetch(one) for one in (value if type(value) is list else [value])]

    def prefetch(self, request):
        nested = Query(self.collection, request)
        return edge.Prefetch(
            limit_of(request, 10),
            query=nested.scoring(request.get("query"), request),
            prefetches=nested.prefetches(request),
            params=params(request.get("params")),
            filter=nested.filter(request),
            score_threshold=request.get("score_threshold"),
        )

    def filter(self, request):
        """The filter, without the points that the query is about; only after scoring()."""
        result = filter_of(request.get("filter"))
        if not self.named:
            return result
        return edge.Filter(must=[result] if result else None, must_not=[edge.HasIdCondition(set(self.named))])

    def vector(self, value, using, request):
        """A vector given as itself, or as the id of the point that has it."""
        if type(value) in (int, str):
            return self.looked_up(point_id(value), using, request.get("lookup_from"))
        self.collection.check_query(using, value)
        return vector(value)

    def looked_up(self, one, using, elsewhere):
        collection = self.collection
        if elsewhere:
            collection = collection.service.find(elsewhere["collection"])
            using = elsewhere.get("vector") or ""
        else:
            self.named.append(one)
        found = collection.retrieve([one], False, True)
        if not found:
            raise not_found("No point with id %s found" % shown_id(one))
        value = found[0].vector
        if type(value) is dict:
            value = value.get(using)
        elif using:
            value = None
        if value is None:
            raise wrong_input("Not existing vector name error: %s" % using)
        return value

    def pairs(self, value, using, request):
        return [
            edge.ContextPair(
                self.vector(one["positive"], using, request), self.vector(one["negative"], using, request)
            )
            for one in (value if type(value) is list else [value])
        ]

    def scoring(self, value, request):
        using = request.get("using") or ""
        if value is None:
            return None
        if type(value) is not dict or "indices" in value:
            return edge.Query.Nearest(self.vector(value, using, request), using)
        if "nearest" in value:
            return self.nearest(value, using, request)
        if "recommend" in value:
            return self.recommend(value["recommend"], using, request)
        if "discover" in value:
            target = self.vector(value["discover"]["target"], using, request)
            pairs = self.pairs(value["discover"]["context"], using, request)
            return edge.Query.Discover(edge.DiscoverQuery(target, pairs), using)
        if "context" in value:
            return edge.Query.Context(edge.ContextQuery(self.pairs(value["context"], using, request)), using)
        if "order_by" in value:
            return order_by(value["order_by"])
        if "fusion" in value:
            return edge.Fusion.Rrf(2) if value["fusion"] == "rrf" else edge.Fusion.Dbsf()
        if "rrf" in value:
            return edge.Fusion.Rrf(value["rrf"].get("k") or 2, value["rrf"].get("weights"))
        if "sample" in value:
            return edge.Sample.Random
        if "formula" in value:
            return edge.Formula(expression(value["formula"]), value.get("defaults") or {})
        raise wrong_input("this stand-in has no such query")

    def nearest(self, value, using, request):
        target = self.vector(value["nearest"], using, request)
        if not value.get("mmr"):
            return edge.Query.Nearest(target, using)
        mmr = value["mmr"]
        diversity = 0.5 if mmr.get("diversity") is None else mmr["diversity"]
        return edge.Mmr(target, 1 - diversity, mmr.get("candidates_limit") or limit_of(request, 10), using)

    def recommend(self, value, using, request):
        positives = [self.vector(one, using, request) for one in value.get("positive") or []]
        negatives = [self.vector(one, using, request) for one in value.get("negative") or []]
        strategy = value.get("strategy") or "average_vector"
        if strategy == "average_vector":
            if not positives:
                raise wrong_input("At least one positive vector ID required with this strategy")
            target = numpy.mean(numpy.array(positives, numpy.float32), axis=0)
            if negatives:
                target = 2 * target - numpy.mean(numpy.array(negatives, numpy.float32), axis=0)
            return edge.Query.Nearest(target.tolist(), using)
        examples = edge.RecommendQuery(positives, negatives)
        if strategy == "best_score":
            return edge.Query.RecommendBestScore(examples, using)
        return edge.Query.RecommendSumScores(examples, using)


ONE = {
    "neg": "Neg",
    "abs": "Abs",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log10": "Log10",
    "ln": "Ln",
    "acosh": "Acosh",
}
MANY = {"mult": "Mult", "sum": "Sum", "max": "Max", "min": "Min"}
DECAYS = {
    "lin_decay": edge.DecayKind.Lin,
    "exp_decay": edge.DecayKind.Exp,
    "gauss_decay": edge.DecayKind.Gauss,
}


def expression(value):
    kind = edge.Expression
    if type(value) in (int, float):
        return kind.Constant(value)
    if type(value) is str:
        return kind.Variable(value)
    (key, one), *_ = value.items()
    if key in ONE:
        return getattr(kind, ONE[key])(expression(one))
    if key in MANY:
        return getattr(kind, MANY[key])([expression(part) for part in one])
    if key == "div":
        return kind.Div(expression(one["left"]), expression(one["right"]), one.get("by_zero_default"))
    if key == "pow":
        return kind.Pow(expression(one["base"]), expression(one["exponent"]))
    if key == "geo_distance":
        return kind.GeoDistance(place(one["origin"]), one["to"])
    if key == "datetime":
        return kind.Datetime(one)
    if key == "datetime_key":
        return kind.DatetimeKey(one)
    if key in DECAYS:
        target = one.get("target")
        return kind.Decay(
            DECAYS[key],
            expression(one["x"]),
            None if target is None else expression(target),
            one.get("midpoint"),
            one.get("scale"),
        )
    return kind.Condition(condition(value))


def shown_vector(value):
    """In float32, so that its numbers are written with no more digits than those have."""
    if type(value) is list:
        return numpy.array(value, numpy.float32)
    if type(value) is dict:
        return {name: shown_vector(one) for name, one in value.items()}
    return {"indices": value.indices, "values": numpy.array(value.values, numpy.float32)}


def record(point, with_payload, with_vector):
    """A point without a score. What was not asked for is not there, as in a server's answer."""
    result = {"id": shown_id(point.id)}
    if with_payload is not False:
        result["payload"] = point.payload
    if with_vector is not False and point.vector is not None:
        result["vector"] = shown_vector(point.vector)
    if point.order_value is not None:
        result["order_value"] = point.order_value
    return result


def scored(point, with_payload, with_vector):
    result = {"id": shown_id(point.id), "version": point.version, "score": numpy.float32(point.score)}
    if with_payload is not False:
        result["payload"] = point.payload
    if with_vector is not False and point.vector is not None:
        result["vector"] = shown_vector(point.vector)
    if point.order_value is not None:
        result["order_value"] = point.order_value
    return result
