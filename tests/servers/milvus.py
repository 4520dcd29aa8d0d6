# SPDX-License-Identifier: Apache-2.0
"""Starts a Milvus server on loopback and runs a command against it.

    milvus.py --server standalone|lite --work DIR [--tls one|two|expired] [--auth] -- COMMAND ARG...
    milvus.py --server standalone|lite --work DIR [--tls one|two|expired] [--auth] --serve

Run it with the Python that has the packages of requirements-standalone.txt or
requirements-lite.txt. The command finds the server in its environment:

    SIMPLUGIN_TEST_MILVUS_URI       http://127.0.0.1:PORT, or https:// with --tls
    SIMPLUGIN_TEST_MILVUS_KIND      standalone or lite
    SIMPLUGIN_TEST_MILVUS_PID       the server's process, to kill or stop
    SIMPLUGIN_TEST_MILVUS_METRICS   standalone: its page of metrics
    SIMPLUGIN_TEST_MILVUS_RESTART   a shell command that starts the server again, on the same port
                                    and data, killing it where it still runs; waits until it is
                                    ready and prints the new process id
    SIMPLUGIN_TEST_MILVUS_USER, _PASSWORD               with --auth: the administrator
    SIMPLUGIN_TEST_MILVUS_CA, _SERVER_NAME, _OTHER_CA   with --tls: who signed the server's
                                    certificate, a name in it that resolves to nothing, and an
                                    authority that signed nothing of the server's
    SIMPLUGIN_TEST_MILVUS_CERT, _KEY                    with --tls two: the client's

--serve prints these as lines instead, and serves until it is interrupted. Ends with the
command's exit code, or 1 if the server does not start; then the end of its log is shown.
The server never outlives this program. Each server needs a folder of its own.

A standalone server that was killed takes 15 seconds to start again, until its old sessions are
over, and one that was stopped (SIGSTOP) for longer than 10 ends itself when it goes on.
"""

import base64
import contextlib
import os
import shutil
import socket
import sys
import urllib.request

import common
from common import StartError, free_ports

TLS_MODES = {"one": 1, "expired": 1, "two": 2}  # common.security.tlsMode

# What differs from the configuration that the package ships: on loopback, quieter, quicker to
# load and to answer a strongly consistent read, and quicker to notice that its predecessor is
# gone. A client could see none of it but for the time it takes.
SETTINGS = {
    "common.session.ttl": 10,
    "log.level": "warn",
    "proxy.timeTickInterval": 50,
    "queryCoord.checkChannelInterval": 100,
    "queryCoord.checkIndexInterval": 500,
    "queryCoord.checkSegmentInterval": 100,
    "queryCoord.distPullInterval": 100,
    "queryCoord.leaderViewUpdateInterval": 1,
    "queryCoord.updateNextTargetInterval": 2,
    "rootCoord.dmlChannelNum": 4,
    **{
        component + ".ip": "127.0.0.1"
        for component in "rootCoord proxy queryCoord queryNode indexNode dataCoord dataNode".split()
    },
}


def grpc_call(port, method, tls=None, headers=(), timeout=5.0):
    """One unary call with an empty request: the answer's bytes, or None if there is none."""

    def frame(kind, flags, stream, payload=b""):
        return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

    def literal(text):
        return bytes([len(text)]) + text.encode()

    data, settings, end_of_headers, end_of_stream = 0, 4, 4, 1
    fields = [
        (":method", "POST"),
        (":scheme", "https" if tls else "http"),
        (":path", "/milvus.proto.milvus.MilvusService/" + method),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        *headers,
    ]
    block = b"".join(b"\0" + literal(name) + literal(value) for name, value in fields)
    with contextlib.ExitStack() as stack:
        peer = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout))
        if tls:
            peer = stack.enter_context(tls.wrap_socket(peer, server_hostname="localhost"))
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(settings, 0, 0))
        peer.sendall(frame(1, end_of_headers, 1, block) + frame(data, end_of_stream, 1, bytes(5)))
        stream = stack.enter_context(peer.makefile("rb"))
        message = b""
        while True:
            head = stream.read(9)
            if len(head) < 9:
                return None
            kind, flags = head[3], head[4]
            payload = stream.read(int.from_bytes(head[:3], "big"))
            if kind == settings and not flags:
                peer.sendall(frame(settings, 1, 0))
            elif kind == data:
                message += payload
            elif head[5:] == b"\0\0\0\1" and (kind == 3 or flags & end_of_stream):
                return message[5:] or None


def is_healthy(message):
    """Whether a CheckHealthResponse { Status status = 1; bool isHealthy = 2; } says yes."""
    position = 0
    while message and position + 1 < len(message):
        if message[position] == 0x10:
            return message[position + 1] == 1
        if message[position] != 0x0A or message[position + 1] > 127:
            return False
        position += 2 + message[position + 1]
    return False


class Server(common.Server):
    prefix = "SIMPLUGIN_TEST_MILVUS_"
    server_name = "milvus.simplugin.test"

    def __init__(self, options):
        self.user, self.password = ("root", "Milvus") if options.auth else (None, None)
        super().__init__(options)

    def is_ready(self):
        headers = ()
        if self.user:
            secret = base64.b64encode(("%s:%s" % (self.user, self.password)).encode()).decode()
            headers = (("authorization", secret),)
        tls = None
        if self.certificates:
            tls = self.client_tls()
            tls.set_alpn_protocols(["h2"])
        try:
            return is_healthy(grpc_call(self.port, "CheckHealth", tls, headers))
        except OSError:
            return False

    def environment(self):
        values = {"URI": self.address(), "KIND": self.options.server, **super().environment()}
        if self.user:
            values.update(USER=self.user, PASSWORD=self.password)
        return values


class Standalone(Server):
    def environment(self):
        page = "http://127.0.0.1:%d/metrics" % self.metrics_port
        return {**super().environment(), "METRICS": page}

    def prepare(self):
        # the package, not this file: a template of the configuration, and the program, compressed
        sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
        import milvus

        config = milvus.MilvusServerConfig(data_dir=self.data)
        keys = [key for key in config.configurable_items if key.endswith("_port")]
        self.metrics_port, etcd_peer, *ports = free_ports(2 + len(keys))
        config.update(**dict(zip(keys, ports)))
        config.resolve()

        self.settings = {**SETTINGS, "common.security.authorizationEnabled": self.options.auth}
        if self.certificates:
            self.settings["common.security.tlsMode"] = TLS_MODES[self.options.tls]
            self.settings["tls.serverPemPath"] = self.certificates.path("server.pem")
            self.settings["tls.serverKeyPath"] = self.certificates.path("server.key")
            self.settings["tls.caPemPath"] = self.certificates.path("ca.pem")
        self.settings.update(setting.split("=", 1) for setting in self.options.set)

        # unpacked once for all: it takes longer than everything else
        home = os.path.join(sys.prefix, "milvus-" + milvus.__version__)
        if not os.path.isdir(home):
            unpacked = "%s.%d" % (home, os.getpid())
            milvus._initialize_data_files(unpacked)
            try:
                os.rename(unpacked, home)
            except OSError:  # another one was quicker
                shutil.rmtree(unpacked)
        self.programs = os.path.join(home, "bin")

        # the etcd inside listens on fixed ports unless it has a file of its own
        client = "http://127.0.0.1:%d" % config.get("etcd_port")
        peer = "http://127.0.0.1:%d" % etcd_peer
        self.etcd = os.path.join(self.data, "configs", "etcd.yaml")
        with open(self.etcd, "w", encoding="utf-8") as file:
            for key, value in {
                "listen-client-urls": client,
                "advertise-client-urls": client,
                "listen-peer-urls": peer,
                "initial-advertise-peer-urls": peer,
                "initial-cluster": "default=" + peer,
                "log-level": "warn",
            }.items():
                file.write("%s: %s\n" % (key, value))
        return config.get("proxy_port")

    def command(self):
        # a variable stands above milvus.yaml: proxy.port is PROXY_PORT
        settings = {key.replace(".", "_").upper(): str(value) for key, value in self.settings.items()}
        return [os.path.join(self.programs, "milvus"), "run", "standalone"], {
            **settings,
            "DEPLOY_MODE": "STANDALONE",
            "METRICS_PORT": str(self.metrics_port),
            "MILVUSCONF": os.path.join(self.data, "configs"),
            "MILVUS_RUN_DIR": os.path.join(self.data, "run"),
            "ETCD_CONFIG_PATH": self.etcd,
            "LD_LIBRARY_PATH": self.programs,
        }

    def is_ready(self):
        """The proxy answers before the other components do; this page speaks for all of them."""
        url = "http://127.0.0.1:%d/healthz" % self.metrics_port
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                return b"OK" in page.read() and super().is_ready()
        except OSError:
            return False


class Lite(Server):
    def prepare(self):
        if self.options.tls or self.options.auth or self.options.set:
            raise StartError("milvus-lite has no TLS, no authorization and no settings")
        return free_ports(1)[0]

    def command(self):
        arguments = [sys.executable, "-m", "milvus_lite", "server"]
        arguments += ["--data-dir", os.path.join(self.data, "db"), "--host", "127.0.0.1"]
        arguments += ["--port", str(self.port)]
        return arguments, {"PYTHONUNBUFFERED": "1"}


def main():
    parser = common.parser(__doc__)
    parser.add_argument("--server", choices=("standalone", "lite"))
    parser.add_argument("--auth", action="store_true", help="authorization enabled")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of milvus.yaml"
    )
    options = parser.parse_args()
    if options.restart:
        return common.request_restart(options.restart)
    if not options.server or not options.work or options.serve == bool(options.command):
        parser.error("--server, --work and either a command or --serve are needed")
    return common.main(options, Standalone if options.server == "standalone" else Lite)


if __name__ == "__main__":
    sys.exit(main())
