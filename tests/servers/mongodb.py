# SPDX-License-Identifier: Apache-2.0
"""Starts a MongoDB server on loopback and runs a command against it.

    mongodb.py --work DIR -- COMMAND ARG...
    mongodb.py --work DIR --serve

Run it with a Python that has the packages of requirements-mongodb.txt. The command finds the
server in its environment:

    SIMPLUGIN_TEST_MONGODB_URI       mongodb://127.0.0.1:PORT
    SIMPLUGIN_TEST_MONGODB_PID       the server's process, to kill or stop
    SIMPLUGIN_TEST_MONGODB_RESTART   a shell command that starts the server again, on the same port
                                     and data, killing it where it still runs; waits until it is
                                     ready and prints the new process id

--serve prints these as lines instead, and serves until it is interrupted. Ends with the
command's exit code, or 1 if the server does not start; then the end of its log is shown.
The server never outlives this program. Each server needs a folder of its own.

The program is what the package for Ubuntu 22.04 has; on Debian 12 it wants libcurl4, liblzma5
and libssl3.
"""

import importlib.metadata
import os
import socket
import struct
import sys

import common
from common import StartError, free_ports

OP_MSG = 2013
HELLO = b"\x10hello\0\1\0\0\0" + b"\x02$db\0\6\0\0\0admin\0"
IS_PRIMARY = b"\x08isWritablePrimary\0\1"


def find_mongod():
    """Where it was installed; importing the package would import FiftyOne, where that is present."""
    for package in importlib.metadata.distributions():
        for file in package.files or ():
            if file.parts[-4:] == ("fiftyone", "db", "bin", "mongod"):
                return os.fspath(package.locate_file(file))
    raise StartError("%s has no mongod: install requirements-mongodb.txt" % sys.executable)


def says_hello(port, timeout=5.0):
    """Whether the server answers one `hello`, and takes writes."""
    document = struct.pack("<i", len(HELLO) + 5) + HELLO + b"\0"
    message = struct.pack("<iB", 0, 0) + document
    with socket.create_connection(("127.0.0.1", port), timeout) as peer:
        peer.sendall(struct.pack("<iiii", 16 + len(message), 1, 0, OP_MSG) + message)
        with peer.makefile("rb") as stream:
            size = stream.read(4)
            return len(size) == 4 and IS_PRIMARY in stream.read(struct.unpack("<i", size)[0] - 4)


class Server(common.Server):
    prefix = "SIMPLUGIN_TEST_MONGODB_"

    def prepare(self):
        if self.options.tls:
            raise StartError("the tests need no TLS of MongoDB")
        self.program = find_mongod()
        return free_ports(1)[0]

    def command(self):
        database = os.path.join(self.data, "db")
        os.makedirs(database, exist_ok=True)
        arguments = [self.program, "--dbpath", database, "--bind_ip", "127.0.0.1", "--port", str(self.port)]
        # half of the memory otherwise, and a file of figures each second
        arguments += ["--wiredTigerCacheSizeGB", "1", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        return [*arguments, "--nounixsocket", "--quiet"], {}

    def is_ready(self):
        try:
            return says_hello(self.port)
        except OSError:
            return False

    def address(self):
        return "mongodb://127.0.0.1:%d" % self.port

    def environment(self):
        return {"URI": self.address(), **super().environment()}


def main():
    parser = common.parser(__doc__)
    options = parser.parse_args()
    if options.restart:
        return common.request_restart(options.restart)
    if not options.work or options.serve == bool(options.command):
        parser.error("--work and either a command or --serve are needed")
    return common.main(options, Server)


if __name__ == "__main__":
    sys.exit(main())
