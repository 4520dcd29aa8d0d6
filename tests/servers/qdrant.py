# SPDX-License-Identifier: Apache-2.0
"""Starts a stand-in for a Qdrant server on loopback and runs a command against it.

    qdrant.py --work DIR [OPTION...] -- COMMAND ARG...
    qdrant.py --work DIR [OPTION...] --serve

      --tls one|two|expired      https; two asks the client for a certificate
      --http2                    with --tls: HTTP/2 where the client offers it
      --api-key KEY, --read-only-api-key KEY
      --version 1.14.1           the version to claim, and to have the endpoints of
      --no-validate              leaves out the checks of each point and of answers, for benchmarks

Run it with a Python that has the packages of requirements-qdrant.txt. The command finds the
server in its environment:

    SIMPLUGIN_TEST_QDRANT_URL       http://127.0.0.1:PORT, or https:// with --tls
    SIMPLUGIN_TEST_QDRANT_PID       the server's process, to kill or stop
    SIMPLUGIN_TEST_QDRANT_RESTART   a shell command that starts the server again, on the same port
                                    and data, killing it where it still runs; waits until it is
                                    ready and prints the new process id
    SIMPLUGIN_TEST_QDRANT_API_KEY, _READ_ONLY_API_KEY   where they were given
    SIMPLUGIN_TEST_QDRANT_CA, _SERVER_NAME, _OTHER_CA   with --tls: who signed the server's
                                    certificate, a name in it that resolves to nothing, and an
                                    authority that signed nothing of the server's
    SIMPLUGIN_TEST_QDRANT_CERT, _KEY                    with --tls two: the client's
    SIMPLUGIN_TEST_QDRANT_FAULTS    the control port, described in qdrant_server/faults.py: what
                                    should go wrong, and which requests there were; a restart
                                    forgets both

--serve prints these as lines instead, and serves until it is interrupted. Ends with the
command's exit code, or 1 if the server does not start; then the end of its log is shown.
The server never outlives this program. Each server needs a folder of its own.

Where SIMPLUGIN_TEST_QDRANT_URL is set, that server is used: the command is run with the
environment as it is, and without _FAULTS, _PID or _RESTART unless those are set as well.

No package has a Qdrant server, but one has its storage and its index (qdrant-edge-py): this puts
the REST API before them. What is sent is checked by the models of the official client, and so is
what is answered: one that is not as they say is a 500, and is in the log. What a real server has
and this one lacks: gRPC, clusters and shard keys (shard_number, replication_factor and the like are
kept and shown, no more), JWT, strict mode, rate limits, inference, restoring snapshots, the
recommend/discover/groups/matrix endpoints of old (but for points/recommend), `lookup` in groups,
slice conditions, guessing the schema of a payload index; `timeout` is checked and has no effect.
It is stricter than a server about unknown keys inside of unions such as queries, its words about
malformed JSON are not serde's to the letter, operation ids begin at 0 again after a restart, and
the number of segments is the engine's.
"""

import http.client
import os
import sys

import common

HERE = os.path.dirname(os.path.abspath(__file__))


class Server(common.Server):
    prefix = "SIMPLUGIN_TEST_QDRANT_"
    server_name = "qdrant.simplugin.test"

    def prepare(self):
        if self.options.http2 and not self.options.tls:
            raise common.StartError("--http2 needs --tls: clients ask for it in the handshake")
        port, self.control_port = common.free_ports(2)
        return port

    def command(self):
        arguments = [sys.executable, "-m", "qdrant_server", os.path.join(self.data, "storage")]
        arguments += ["--port", str(self.port), "--control-port", str(self.control_port)]
        arguments += ["--version", self.options.version]
        for name in ("api_key", "read_only_api_key"):
            if getattr(self.options, name):
                arguments += ["--" + name.replace("_", "-"), getattr(self.options, name)]
        if self.certificates:
            arguments += ["--certificate", self.certificates.path("server.pem")]
            arguments += ["--key", self.certificates.path("server.key")]
        if self.options.tls == "two":
            arguments += ["--client-ca", self.certificates.path("ca.pem")]
        if self.options.http2:
            arguments += ["--http2"]
        if not self.options.validate:
            arguments += ["--no-validate"]
        return arguments, {"PYTHONPATH": HERE, "PYTHONUNBUFFERED": "1"}

    def is_ready(self):
        if self.certificates:
            peer = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=self.client_tls())
        else:
            peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            peer.request("GET", "/readyz")
            return peer.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            peer.close()

    def environment(self):
        values = {"URL": self.address(), **super().environment()}
        values["FAULTS"] = "http://127.0.0.1:%d" % self.control_port
        if self.options.api_key:
            values["API_KEY"] = self.options.api_key
        if self.options.read_only_api_key:
            values["READ_ONLY_API_KEY"] = self.options.read_only_api_key
        return values


def main():
    parser = common.parser(__doc__)
    parser.add_argument("--api-key")
    parser.add_argument("--read-only-api-key")
    parser.add_argument("--version", default="1.14.1", help="the version to claim")
    parser.add_argument("--http2", action="store_true", help="with --tls")
    parser.add_argument("--no-validate", dest="validate", action="store_false", help="for benchmarks")
    options = parser.parse_args()
    if options.restart:
        return common.request_restart(options.restart)
    if options.command and os.environ.get(Server.prefix + "URL"):
        os.execvp(options.command[0], options.command)
    if not options.work or options.serve == bool(options.command):
        parser.error("--work and either a command or --serve are needed")
    return common.main(options, Server)


if __name__ == "__main__":
    sys.exit(main())
