# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on demand, and what was asked: the control port.

    POST /    a JSON list of rules, beside those that are there
    GET /     {"requests": [{"method", "path", "count"}], "log": [{"method", "path", "query", "headers", "http",
              "client"}], "rules": [...with "seen" and "left"]}: "http" is the version, such as "1.1", and
              "client" the port that the connection comes from
    DELETE /  forgets rules, counts and log

A rule is {"method": "PUT", "path": REGEX, "skip": 0, "times": 1, "action": {...}}: method and path
are regular expressions for the whole of each and may be left out; of the requests that match, the
first "skip" are left alone and the next "times" (null: all) get the action. The first rule that
acts is the only one. Of an action's parts

    delay_ms            waits first
    status, headers, body   answers with these; body is JSON, and a redirect is a status and a location
    body_raw            answers with this text as it is, with status 200 unless that is given, as JSON
    cut_after_bytes     closes the connection after so much of the body, of which all is announced
    close               true: closes the connection at once
    apply_then_close    true: does what was asked, and closes the connection

the last three end with the connection closed. Any other path of the control port is a place to be
redirected to: it answers {"result": true, "status": "ok", "time": 0.0} and its requests are in
the log, with "port": "control".
"""

import asyncio
import collections
import re

import orjson
from starlette.requests import Request
from starlette.responses import Response

KEPT = 10000


class Rule:
    def __init__(self, value):
        self.value = value
        self.method = re.compile(value.get("method", ".*"))
        self.path = re.compile(value.get("path", ".*"), re.DOTALL)
        self.skip = value.get("skip", 0)
        self.left = value.get("times", 1)
        self.action = value["action"]
        self.seen = 0

    def acts(self, method, path):
        if not self.method.fullmatch(method) or not self.path.fullmatch(path):
            return False
        self.seen += 1
        if self.seen <= self.skip or self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """Around the application: outside of authorization and everything else."""

    def __init__(self, app):
        self.app = app
        self.forget()

    def forget(self):
        self.rules = []
        self.counts = collections.Counter()
        self.log = collections.deque(maxlen=KEPT)

    def note(self, scope, port):
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        self.counts[method, path] += 1
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        self.log.append(
            {
                "port": port,
                "method": method,
                "path": path,
                "query": query,
                "headers": headers,
                "http": scope["http_version"],
                "client": scope["client"][1],
            }
        )
        return method, path

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        method, path = self.note(scope, "server")
        for rule in self.rules:
            if rule.acts(method, path):
                await self.act(rule.action, scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def act(self, action, scope, receive, send):
        if "delay_ms" in action:
            await asyncio.sleep(action["delay_ms"] / 1000)
        app = self.app
        if "status" in action or "body" in action or "body_raw" in action:
            app = fixed(action)
        if action.get("close"):
            await close(scope, receive)
        elif action.get("apply_then_close"):
            await app(scope, receive, nothing)
            await close(scope, receive)
        elif "cut_after_bytes" in action:
            await cut(app, scope, receive, send, action["cut_after_bytes"])
        else:
            await app(scope, receive, send)


async def nothing(message):
    pass


async def close(scope, receive):
    """Once what was sent is on its way."""
    scope["state"]["close"]()
    while (await receive())["type"] != "http.disconnect":
        pass


async def cut(app, scope, receive, send, size):
    start, parts = None, []

    async def kept(message):
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, kept)
    body = b"".join(parts)
    headers = [one for one in start["headers"] if one[0].lower() != b"content-length"]
    await send({**start, "headers": [*headers, (b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body[:size], "more_body": True})
    await close(scope, receive)


def fixed(action):
    """An application that reads the request and always answers the same."""
    headers = {"content-type": "application/json", **action.get("headers", {})}
    content = orjson.dumps(action["body"]) if "body" in action else action.get("body_raw", "").encode()

    async def app(scope, receive, send):
        await Request(scope, receive).body()
        await Response(content, action.get("status", 200), headers)(scope, receive, send)

    return app


def control(faults):
    """The application of the control port."""

    def changed(method, body):
        if method == "DELETE":
            faults.forget()
        elif method == "POST":
            faults.rules += [Rule(value) for value in orjson.loads(body)]

    def shown():
        counts = [{"method": key[0], "path": key[1], "count": count} for key, count in faults.counts.items()]
        rules = [{**rule.value, "seen": rule.seen, "left": rule.left} for rule in faults.rules]
        return {"requests": counts, "log": list(faults.log), "rules": rules}

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await request.body()
        if scope["path"] != "/":
            faults.note(scope, "control")
            content, status = {"result": True, "status": "ok", "time": 0.0}, 200
        else:
            try:
                changed(request.method, body)
                content, status = shown(), 200
            except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
                content, status = {"error": repr(error)}, 400
        await Response(orjson.dumps(content), status, media_type="application/json")(scope, receive, send)

    return app
