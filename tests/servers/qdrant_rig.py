# SPDX-License-Identifier: Apache-2.0
"""What the tests of qdrant.py share: a server, asked over plain HTTP or by the official client."""

import contextlib
import gzip
import http.client
import json
import os
import shlex
import subprocess
import sys
import urllib.parse

from qdrant_client import QdrantClient

PREFIX = "SIMPLUGIN_TEST_QDRANT_"
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "qdrant.py")


class Server:
    """A server, by the variables that qdrant.py printed or set."""

    def __init__(self, variables):
        self.variables = variables
        self.url = urllib.parse.urlsplit(variables["URL"])

    def client(self, **more):
        return QdrantClient(
            url=self.variables["URL"],
            api_key=self.variables.get("API_KEY"),
            timeout=60,
            check_compatibility=False,
            **more,
        )

    def connection(self, tls=None):
        if self.url.scheme == "https":
            return http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=60, context=tls)
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)

    def ask(self, method, path, body=None, headers=None, tls=None):
        """The status and the answer: JSON, or bytes if it is none."""
        headers = dict(headers or {})
        if "API_KEY" in self.variables:
            headers.setdefault("api-key", self.variables["API_KEY"])
        if body is not None:
            headers.setdefault("content-type", "application/json")
        if not isinstance(body, (bytes, type(None))):
            body = json.dumps(body)
        peer = self.connection(tls)
        try:
            peer.request(method, path, body, headers)
            answer = peer.getresponse()
            content = answer.read()
        finally:
            peer.close()
        if answer.getheader("content-encoding") == "gzip":
            content = gzip.decompress(content)
        if answer.getheader("content-type") == "application/json":
            content = json.loads(content)
        return answer.status, content

    def refused(self, method, path, body=None, **more):
        """The status and the words of an error."""
        status, answer = self.ask(method, path, body, **more)
        assert set(answer) <= {"status", "time", "result", "usage"} and not answer.get("result")
        return status, answer["status"]["error"]

    def restart(self):
        return int(subprocess.check_output(self.variables["RESTART"], shell=True))

    def fault(self, *rules):
        control(self.variables["FAULTS"], "POST", list(rules))

    def seen(self):
        return control(self.variables["FAULTS"], "GET")


def control(url, method, body=None):
    peer = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    try:
        peer.request(method, "/", json.dumps(body) if body is not None else None)
        answer = peer.getresponse()
        content = json.loads(answer.read())
        assert answer.status == 200, content
        return content
    finally:
        peer.close()


@contextlib.contextmanager
def serving(work, *options):
    program = subprocess.Popen(
        [sys.executable, PROGRAM, "--work", str(work), *options, "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        variables = {}
        for line in program.stdout:
            name, value = line.rstrip("\n").split("=", 1)
            variables[name.removeprefix(PREFIX)] = shlex.split(value)[0]
            if name == PREFIX + "RESTART":
                break
        assert "RESTART" in variables
        yield Server(variables)
        log = os.path.join(str(work), "server.log")
        with open(log, encoding="utf-8") as file:
            assert "AN ANSWER OF OURS" not in file.read()
    finally:
        program.terminate()
        program.wait()
