# SPDX-License-Identifier: Apache-2.0
"""What the programs beside this file share: a server on loopback, and a command run against it.

A program gives a Server of its own and calls main(). See milvus.py for what they have in common:
the way they are called, the environment of the command, certificates and the restart command.
"""

import argparse
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

TLS_MODES = ("one", "two", "expired")
LOG_LINES = 40
CRASH = re.compile("panic: |fatal error: |SIG[A-Z]+: |Traceback |.*\\[(PANIC|FATAL)\\]")


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

    def __init__(self, folder, server_name, expired):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._make("ca", "simplugin test authority")
        self._make("other-ca", "another authority")
        names = "DNS:localhost,DNS:%s,IP:127.0.0.1" % server_name
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


class Server:
    """One server process at a time: started, waited for, restarted, stopped."""

    prefix = None  # of the variables
    server_name = None  # in the certificate, beside localhost

    def __init__(self, options):
        self.options = options
        self.log = os.path.join(options.work, "server.log")
        self.process = None
        self.certificates = None
        if options.tls:
            certificates = os.path.join(options.work, "certificates")
            self.certificates = Certificates(certificates, self.server_name, options.tls == "expired")
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
        raise NotImplementedError

    def address(self):
        return "%s://127.0.0.1:%d" % ("https" if self.certificates else "http", self.port)

    def client_tls(self):
        """For is_ready, which must not care whom the certificate names and until when."""
        tls = ssl.create_default_context()
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
        tls.load_cert_chain(self.certificates.path("client.pem"), self.certificates.path("client.key"))
        return tls

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
        values = {"PID": str(self.process.pid)}
        if self.certificates:
            values.update(
                CA=self.certificates.path("ca.pem"),
                OTHER_CA=self.certificates.path("other-ca.pem"),
                SERVER_NAME=self.server_name,
            )
        if self.options.tls == "two":
            values.update(
                CERT=self.certificates.path("client.pem"), KEY=self.certificates.path("client.key")
            )
        return values


class Control:
    """The socket over which the restart command asks this program for a new server."""

    def __init__(self):
        self.name = "simplugin-test-server-%d" % os.getpid()
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
        return shlex.join([sys.executable, os.path.abspath(sys.argv[0]), "--restart", self.name])


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


def run(options, kind):
    program = os.path.basename(sys.argv[0])
    server = None
    command = None
    control = Control()
    try:
        server = kind(options)
        server.start()
        values = {**server.environment(), "RESTART": control.restart_command()}
        environment = {server.prefix + name: value for name, value in values.items()}
        if options.serve:
            for name, value in environment.items():
                print("%s=%s" % (name, shlex.quote(value)), flush=True)
            while True:
                control.serve(server, 1)
        try:
            command = subprocess.Popen(options.command, env={**os.environ, **environment})
        except OSError as error:
            print("%s: %s: %s" % (program, options.command[0], error.strerror), file=sys.stderr)
            return 127
        while command.poll() is None:
            control.serve(server, 0.1)
        return command.returncode if command.returncode >= 0 else 128 - command.returncode
    except StartError as error:
        print("%s: %s" % (program, error), file=sys.stderr)
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


def parser(description):
    """The options that every one of them has."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("--work", help="a folder for data, certificates and the log, made if need be")
    result.add_argument("--tls", choices=TLS_MODES, help="two asks the client for a certificate")
    result.add_argument("--keep", action="store_true", help="keep the data: use what is there, and leave it")
    result.add_argument("--deadline", type=float, default=120, help="seconds for a start")
    result.add_argument("--serve", action="store_true", help="run no command")
    result.add_argument("--restart", metavar="NAME", help="as in ..._RESTART")
    result.add_argument("command", nargs="*")
    return result


def main(options, kind):
    """Runs the command, or serves; returns the exit code."""
    options.work = os.path.abspath(options.work)
    os.makedirs(options.work, exist_ok=True)
    if not options.keep:
        shutil.rmtree(os.path.join(options.work, "data"), ignore_errors=True)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    try:
        return run(options, kind)
    except KeyboardInterrupt:
        return 130
