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

import argparse
import base64
import contextlib
import ctypes
import os
import random
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

PREFIX = "SIMPLUGIN_TEST_MILVUS_"
SERVER_NAME = "milvus.simplugin.test"
TLS_MODES = {"one": 1, "expired": 1, "two": 2}  # common.security.tlsMode
LOG_LINES = 40
CRASH = re.compile("panic: |fatal error: |SIG[A-Z]+: |.*\\[(PANIC|FATAL)\\]")

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


class StartError(Exception):
    pass


def free_ports(count):
    """Ports outside the range of outgoing connections: after a kill nobody else gets them."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        ephemeral = int(file.read().split()[0])
    ports = []
    with contextlib.ExitStack() as held:
        while len(ports) < count:
            port = random.randrange(10000, ephemeral if ephemeral > 20000 else 32768)
            candidate = held.enter_context(socket.socket())
            try:
                candidate.bind(("0.0.0.0", port))
            except OSError:
                continue
            ports.append(port)
    return ports


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StartError("openssl %s failed:\n%s" % (arguments[0], done.stderr))


class Certificates:
    """An authority of its own, what it signed, and another one that signed nothing."""

    def __init__(self, folder, expired):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._make("ca", "simplugin test authority")
        self._make("other-ca", "another authority")
        names = "DNS:localhost,DNS:%s,IP:127.0.0.1" % SERVER_NAME
        self._make("server", "localhost", names=names, days=-1 if expired else 30)
        self._make("client", "simplugin test client", names="DNS:client")

    def path(self, name):
        return os.path.join(self.folder, name)

    def _make(self, name, subject, names=None, days=30):
        pem, key, request = (self.path(name + suffix) for suffix in (".pem", ".key", ".csr"))
        new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes".split()
        new += ["-keyout", key, "-subj", "/CN=" + subject]
        if names is None:
            openssl("req", "-x509", *new, "-out", pem, "-days", str(days))
            return
        openssl("req", *new, "-out", request, "-addext", "subjectAltName=" + names)
        signing = ["-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key"), "-days", str(days)]
        openssl("x509", "-req", "-in", request, "-out", pem, "-copy_extensions", "copy", *signing)


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


class Server:
    """One server process at a time: started, waited for, restarted, stopped."""

    def __init__(self, options):
        self.options = options
        self.log = os.path.join(options.work, "server.log")
        self.process = None
        self.certificates = None
        if options.tls:
            certificates = os.path.join(options.work, "certificates")
            self.certificates = Certificates(certificates, options.tls == "expired")
        self.user, self.password = ("root", "Milvus") if options.auth else (None, None)
        self.data = os.path.join(options.work, "data")
        os.makedirs(self.data, exist_ok=True)
        self.port = self.prepare()

    def prepare(self):
        """Everything before the first start; returns the port."""
        raise NotImplementedError

    def command(self):
        """The arguments, and what the environment has beside ours."""
        raise NotImplementedError

    def is_ready(self):
        headers = ()
        if self.user:
            secret = base64.b64encode(("%s:%s" % (self.user, self.password)).encode()).decode()
            headers = (("authorization", secret),)
        tls = None
        if self.certificates:
            tls = ssl.create_default_context()
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
            tls.set_alpn_protocols(["h2"])
            tls.load_cert_chain(self.certificates.path("client.pem"), self.certificates.path("client.key"))
        try:
            return is_healthy(grpc_call(self.port, "CheckHealth", tls, headers))
        except OSError:
            return False

    def start(self):
        arguments, extra = self.command()
        libc = ctypes.CDLL(None, use_errno=True)

        def end_with_parent():
            libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

        with open(self.log, "ab" if self.process else "wb") as log:
            self.process = subprocess.Popen(
                arguments,
                env={**os.environ, **extra},
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        end = time.monotonic() + self.options.deadline
        while not self.is_ready():
            if self.process.poll() is not None:
                raise StartError("the server ended with %d" % self.process.returncode)
            if time.monotonic() > end:
                raise StartError("the server is not ready after %g s" % self.options.deadline)
            time.sleep(0.1)

    def stop(self):
        if not self.process or self.process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def environment(self):
        scheme = "https" if self.certificates else "http"
        values = {
            "URI": "%s://127.0.0.1:%d" % (scheme, self.port),
            "KIND": self.options.server,
            "PID": str(self.process.pid),
        }
        if self.user:
            values.update(USER=self.user, PASSWORD=self.password)
        if self.certificates:
            values.update(
                CA=self.certificates.path("ca.pem"),
                OTHER_CA=self.certificates.path("other-ca.pem"),
                SERVER_NAME=SERVER_NAME,
            )
        if self.options.tls == "two":
            values.update(
                CERT=self.certificates.path("client.pem"), KEY=self.certificates.path("client.key")
            )
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


class Control:
    """The socket over which the restart command asks this program for a new server."""

    def __init__(self):
        self.name = "simplugin-test-milvus-%d" % os.getpid()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind("\0" + self.name)  # not a path: those may be too long
        self.listener.listen()

    def serve(self, server, seconds):
        """Waits that long for a request, and answers it."""
        self.listener.settimeout(seconds)
        try:
            peer = self.listener.accept()[0]
        except TimeoutError:
            return
        with peer:
            server.stop()
            server.start()
            with contextlib.suppress(OSError):  # it may have been killed meanwhile
                peer.sendall(b"%d\n" % server.process.pid)

    def restart_command(self):
        return shlex.join([sys.executable, os.path.abspath(__file__), "--restart", self.name])


def request_restart(name):
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("\0" + name)
        pid = peer.makefile().readline()
    sys.stdout.write(pid)
    return 0 if pid else 1


def show_log(path):
    """The end of the log, and before it the start of a crash report, which may be long."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    end = max(0, len(lines) - LOG_LINES)
    crash = next((i for i, line in enumerate(lines[:end]) if CRASH.match(line)), end)
    for line in [*lines[crash : min(crash + 5, end)], "...", *lines[end:]]:
        print("  " + line[:300], file=sys.stderr)


def run(options):
    server = None
    command = None
    control = Control()
    try:
        server = (Standalone if options.server == "standalone" else Lite)(options)
        server.start()
        values = {**server.environment(), "RESTART": control.restart_command()}
        environment = {PREFIX + name: value for name, value in values.items()}
        if options.serve:
            for name, value in environment.items():
                print("%s=%s" % (name, shlex.quote(value)), flush=True)
            while True:
                control.serve(server, 1)
        try:
            command = subprocess.Popen(options.command, env={**os.environ, **environment})
        except OSError as error:
            print("milvus.py: %s: %s" % (options.command[0], error.strerror), file=sys.stderr)
            return 127
        while command.poll() is None:
            control.serve(server, 0.1)
        return command.returncode if command.returncode >= 0 else 128 - command.returncode
    except StartError as error:
        print("milvus.py: %s" % error, file=sys.stderr)
        if server and server.process:
            print("the end of %s:" % server.log, file=sys.stderr)
            show_log(server.log)
        return 1
    finally:
        if command and command.poll() is None:
            command.kill()
        if server:
            server.stop()
            if not options.keep:
                shutil.rmtree(server.data, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", choices=("standalone", "lite"))
    parser.add_argument("--work", help="a folder for data, certificates and the log, made if need be")
    parser.add_argument("--tls", choices=TLS_MODES, help="two asks the client for a certificate")
    parser.add_argument("--auth", action="store_true", help="authorization enabled")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of milvus.yaml"
    )
    parser.add_argument("--keep", action="store_true", help="keep the data: use what is there, and leave it")
    parser.add_argument("--deadline", type=float, default=120, help="seconds for a start")
    parser.add_argument("--serve", action="store_true", help="run no command")
    parser.add_argument("--restart", metavar="NAME", help="as in ..._RESTART")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    if options.restart:
        return request_restart(options.restart)
    if not options.server or not options.work or options.serve == bool(options.command):
        parser.error("--server, --work and either a command or --serve are needed")
    options.work = os.path.abspath(options.work)
    os.makedirs(options.work, exist_ok=True)
    if not options.keep:
        shutil.rmtree(os.path.join(options.work, "data"), ignore_errors=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    try:
        return run(options)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
