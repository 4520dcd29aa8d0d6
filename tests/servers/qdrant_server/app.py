# SPDX-License-Identifier: Apache-2.0
"""The way of a request: authorization, route, body, endpoint, envelope."""

import asyncio
import concurrent.futures
import datetime
import gzip
import hmac
import logging
import re
import time
import urllib.parse

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from . import endpoints, requests
from .errors import ApiError, invalid

BODY_LIMIT = 32 << 20  # service.max_request_size_mb
OPEN_PATHS = ("/", "/healthz", "/livez", "/readyz")
COMPRESSED_FROM = 256

log = logging.getLogger("qdrant")


class Route:
    """The path's segments, the endpoint, the model of the answer, and who may call it since when."""

    def __init__(self, method, path, endpoint, answer, writes=False, body=True, since=(0,), plain=False):
        self.method = method
        self.pattern = re.compile(re.sub("{(\\w+)}", "(?P<\\1>[^/]+)", path))
        self.endpoint = endpoint
        self.answer = answer
        self.writes = writes
        self.body = body
        self.since = since
        self.plain = plain


def reads(method, path, endpoint, answer, **more):
    return Route(method, path, endpoint, answer, body=method != "GET", **more)


def writes(method, path, endpoint, answer, **more):
    return Route(method, path, endpoint, answer, writes=True, **more)


C = "/collections/{name}"
P = C + "/points"
DONE, UPDATED = "InlineResponse2001", "InlineResponse2008"
ROUTES = [
    reads("GET", "/", endpoints.root, "VersionInfo"),
    reads("GET", "/healthz", endpoints.healthy, None, plain=True),
    reads("GET", "/livez", endpoints.healthy, None, plain=True),
    reads("GET", "/readyz", endpoints.ready, None, plain=True),
    reads("GET", "/metrics", endpoints.metrics, None, plain=True),
    reads("GET", "/telemetry", endpoints.telemetry, "InlineResponse2002"),
    reads("GET", "/cluster", endpoints.cluster, "InlineResponse2003"),
    writes("POST", "/collections/aliases", endpoints.change_aliases, DONE),
    reads("GET", "/collections", endpoints.collections, "InlineResponse2006"),
    reads("GET", C, endpoints.collection, "InlineResponse2007"),
    reads("GET", C + "/exists", endpoints.collection_exists, "InlineResponse2009", since=(1, 8)),
    reads("GET", C + "/cluster", endpoints.collection_cluster, "InlineResponse20010"),
    reads("GET", C + "/aliases", endpoints.collection_aliases, "InlineResponse20012"),
    reads("GET", "/aliases", endpoints.aliases, "InlineResponse20012"),
    writes("PUT", C, endpoints.create_collection, DONE),
    writes("PATCH", C, endpoints.update_collection, DONE),
    writes("DELETE", C, endpoints.delete_collection, DONE, body=False),
    writes("PUT", C + "/index", endpoints.create_index, UPDATED),
    writes("DELETE", C + "/index/{field}", endpoints.delete_index, UPDATED, body=False),
    reads("GET", C + "/snapshots", endpoints.snapshots, "InlineResponse20014"),
    writes("POST", C + "/snapshots", endpoints.create_snapshot, "InlineResponse20015", body=False),
    writes(
        "DELETE", C + "/snapshots/{snapshot}", endpoints.delete_snapshot, "InlineResponse20013", body=False
    ),
    reads("GET", C + "/snapshots/{snapshot}", endpoints.snapshot_path, None, plain=True),
    reads("GET", "/snapshots", endpoints.snapshots, "InlineResponse20014"),
    writes("POST", "/snapshots", endpoints.create_snapshot, "InlineResponse20015", body=False),
    writes("DELETE", "/snapshots/{snapshot}", endpoints.delete_snapshot, "InlineResponse20013", body=False),
    writes("PUT", P, endpoints.upsert, UPDATED),
    writes("POST", P + "/delete", endpoints.delete, UPDATED),
    writes("PUT", P + "/vectors", endpoints.update_vectors, UPDATED),
    writes("POST", P + "/vectors/delete", endpoints.delete_vectors, UPDATED),
    writes("POST", P + "/payload", endpoints.set_payload, UPDATED),
    writes("PUT", P + "/payload", endpoints.overwrite_payload, UPDATED),
    writes("POST", P + "/payload/delete", endpoints.delete_payload, UPDATED),
    writes("POST", P + "/payload/clear", endpoints.clear_payload, UPDATED),
    writes("POST", P + "/batch", endpoints.batch, "InlineResponse20018"),
    reads("GET", P + "/{id}", endpoints.point, "InlineResponse20016"),
    reads("POST", P, endpoints.retrieve, "InlineResponse20017"),
    reads("POST", P + "/scroll", endpoints.scroll, "InlineResponse20019"),
    reads("POST", P + "/count", endpoints.count, "InlineResponse20020"),
    reads("POST", P + "/search", endpoints.search, "SearchResponse"),
    reads("POST", P + "/search/batch", endpoints.search_batch, "SearchBatchResponse"),
    reads("POST", P + "/recommend", endpoints.recommend, "SearchResponse"),
    reads("POST", P + "/query", endpoints.query, "InlineResponse20022", since=(1, 10)),
    reads("POST", P + "/query/batch", endpoints.query_batch, "InlineResponse20023", since=(1, 10)),
    reads("POST", P + "/query/groups", endpoints.query_groups, "InlineResponse20024", since=(1, 11)),
    reads("POST", C + "/facet", endpoints.facet, "InlineResponse20021", since=(1, 12)),
]


class Call:
    """A request, as an endpoint sees it."""

    def __init__(self, app, route, path, query, body):
        self.service = app.service
        self.version_text = app.version_text
        self.started = app.started
        self.validate = app.validate
        self.route = route
        self.path = path
        self.body = body
        self.wait, self.timeout = checked(query)
        self.name = path.get("name")
        if self.name is not None and len(self.name) > 255:
            raise invalid(
                "path parameters", "name", 'value "%s" invalid, must be from 1 to 255 characters' % self.name
            )

    def collection(self):
        return self.service.find(self.name)

    def json(self, model):
        return requests.parse(self.body, model)

    def points_json(self, model):
        """The body of a large write, of which each point is checked unless that is switched off."""
        value = requests.loads(self.body)
        if self.validate:
            requests.check_points(value, model)
        return value

    def write_all(self, operations):
        numbers = self.collection().shard.write(operations, self.wait)
        status = "completed" if self.wait else "acknowledged"
        return [{"operation_id": number, "status": status} for number in numbers]

    def write(self, operation):
        return self.write_all([operation])[0]


def checked(query):
    """The parameters of a query string that mean something: (wait, timeout)."""
    wait = query.get("wait", "false")
    if wait not in ("true", "false"):
        raise ApiError(
            400, "Deserialize error in query parameters: provided string was not `true` or `false`"
        )
    timeout = query.get("timeout")
    if timeout is not None:
        if not timeout.isascii() or not timeout.isdigit():
            raise ApiError(400, "Deserialize error in query parameters: invalid digit found in string")
        if int(timeout) < 1:
            raise invalid("query parameters", "timeout", "value %s invalid, must be 1 or larger" % timeout)
    consistency = query.get("consistency", "all")
    if consistency not in ("all", "majority", "quorum") and not consistency.isdigit():
        raise ApiError(
            400, "Deserialize error in query parameters: failed to parse consistency `%s`" % consistency
        )
    if query.get("ordering", "weak") not in ("weak", "medium", "strong"):
        raise ApiError(
            400,
            "Deserialize error in query parameters: unknown variant `%s`, expected one of `weak`, `medium`, `strong`"
            % query["ordering"],
        )
    return wait == "true", timeout and int(timeout)


class App:
    def __init__(self, service, options):
        self.service = service
        self.validate = options.validate
        self.version_text = options.version
        self.started = datetime.datetime.now(datetime.timezone.utc).isoformat()
        self.api_key = options.api_key
        self.read_only_api_key = options.read_only_api_key
        self.pool = concurrent.futures.ThreadPoolExecutor(16)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        began = time.perf_counter()
        try:
            response = await self.respond(request, began)
        except ApiError as error:
            response = self.refused(error, began)
        await response(scope, receive, send)

    async def respond(self, request, began):
        path = request.scope["raw_path"].decode("latin-1")
        if path.startswith("//"):
            path = path[1:]
        may_write = self.authorized(request, path)
        if may_write is None:
            given = "api-key" in request.headers or bearer(request) is not None
            text = (
                "Invalid API key or JWT"
                if given
                else "Must provide an API key or an Authorization bearer token"
            )
            return Response(text, 401)
        route, found = self.routed(request.method, path)
        if not route:
            return Response(status_code=404)
        if route.writes and not may_write:
            raise ApiError(403, "Forbidden: Global manage access is required")
        body = await self.body_of(request) if route.body else b""
        try:
            names = {key: urllib.parse.unquote(part, errors="strict") for key, part in found.items()}
        except UnicodeDecodeError:
            raise ApiError(400, "Deserialize error in path parameters: invalid utf-8 sequence") from None
        arguments = (route, names, dict(request.query_params), body, request.headers, began)
        return await asyncio.get_running_loop().run_in_executor(self.pool, self.answer, *arguments)

    def authorized(self, request, path):
        """Whether it may write; None where it may not even read."""
        if not (self.api_key or self.read_only_api_key) or path in OPEN_PATHS:
            return True
        key = request.headers.get("api-key") or bearer(request) or ""
        for known, may_write in ((self.api_key, True), (self.read_only_api_key, False)):
            if known and hmac.compare_digest(known.encode(), key.encode()):
                return may_write
        return None

    def routed(self, method, path):
        for route in ROUTES:
            found = route.pattern.fullmatch(path)
            if found and route.method == method and self.service.version >= route.since:
                return route, found.groupdict()
        return None, None

    async def body_of(self, request):
        """Refused before it is read where its length says that it is too large, as by a server."""
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > BODY_LIMIT:
            raise ApiError(
                400,
                "Payload error: JSON payload (%s bytes) is larger than allowed (limit: %d bytes)."
                % (length, BODY_LIMIT),
            )
        if not re.match("application/([^;]*\\+)?json\\b", request.headers.get("content-type", "")):
            raise ApiError(400, "Payload error: Content type error")
        parts, size = [], 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > BODY_LIMIT:
                raise ApiError(400, "Payload error: JSON payload has exceeded limit (%d bytes)." % BODY_LIMIT)
        body = b"".join(parts)
        if request.headers.get("content-encoding") != "gzip":
            return body
        try:
            return gzip.decompress(body)
        except (OSError, EOFError) as error:
            raise ApiError(400, "Payload error: %s" % error) from None

    def answer(self, route, path, query, body, headers, began):
        """In a thread of the pool: the endpoint, its result checked and written down."""
        try:
            result = route.endpoint(Call(self, route, path, query, body))
            if route.plain:
                return (
                    FileResponse(result)
                    if result.startswith("/")
                    else Response(result, media_type="text/plain")
                )
            if route.answer != "VersionInfo":
                result = self.enveloped({"result": result, "status": "ok"}, began)
            content = orjson.dumps(result, option=orjson.OPT_SERIALIZE_NUMPY)
            if self.validate:
                requests.adapter(route.answer).validate_json(content, strict=True)
        except ApiError as error:
            return self.refused(error, began)
        except ValidationError as error:
            log.error("AN ANSWER OF OURS IS NONE OF QDRANT'S: %s %s: %s", route.method, path, error)
            return self.refused(
                ApiError(500, "Service internal error: the stand-in's answer is malformed"), began
            )
        except BaseException as error:  # the engine's panics are no Exception
            log.exception("%s %s failed", route.method, path)
            return self.refused(ApiError(500, "Service internal error: %s" % error), began)
        if len(content) >= COMPRESSED_FROM and "gzip" in headers.get("accept-encoding", ""):
            content = gzip.compress(content, 1)
            return Response(
                content, 200, {"content-encoding": "gzip", "vary": "accept-encoding"}, "application/json"
            )
        return Response(content, media_type="application/json")

    def enveloped(self, value, began):
        value["time"] = time.perf_counter() - began
        return value

    def refused(self, error, began):
        content = orjson.dumps(self.enveloped({"status": {"error": error.message}}, began))
        return Response(content, error.status, media_type="application/json")


def bearer(request):
    value = request.headers.get("authorization", "")
    return value[7:] if value.startswith("Bearer ") else None
