# SPDX-License-Identifier: Apache-2.0
"""Serves a folder on a port of loopback: started by qdrant.py."""

import argparse
import asyncio
import contextlib
import logging
import ssl
import sys

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import App
from .catalog import Service
from .faults import Faults, control

KEEP_ALIVE_SECONDS = 5  # as actix-web
HOST = "127.0.0.1"


class Protocol(H11Protocol):
    """Lets the application close its connection."""

    def connection_made(self, transport):
        super().connection_made(transport)
        self.app_state = {**self.app_state, "close": transport.close}


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):
        yield  # a signal just ends it: what was acknowledged is in the log of writes


def http1(app, port, **more):
    config = uvicorn.Config(
        app,
        HOST,
        port,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        **more,
    )
    return Server(config).serve()


async def http2(app, port, context):
    """With hypercorn, of which each connection is started here to have its transport at hand."""
    from hypercorn.app_wrappers import ASGIWrapper
    from hypercorn.asyncio.tcp_server import TCPServer
    from hypercorn.asyncio.worker_context import WorkerContext
    from hypercorn.config import Config

    config = Config()
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.include_server_header = False
    workers = WorkerContext(None)
    wrapped = ASGIWrapper(app)

    async def connected(reader, writer):
        state = {"close": writer.close}
        await TCPServer(wrapped, asyncio.get_running_loop(), config, workers, state, reader, writer)

    server = await asyncio.start_server(connected, HOST, port, ssl=context)
    await server.serve_forever()


def tls_context(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def serve(options):
    faults = Faults(App(Service(options.folder, options.numbers), options))
    servers = [http1(control(faults), options.control_port)]
    if options.http2:
        servers.append(http2(faults, options.port, tls_context(options)))
    elif options.certificate:
        servers.append(
            http1(
                faults,
                options.port,
                ssl_certfile=options.certificate,
                ssl_keyfile=options.key,
                ssl_ca_certs=options.client_ca,
                ssl_cert_reqs=ssl.CERT_REQUIRED if options.client_ca else ssl.CERT_NONE,
            )
        )
    else:
        servers.append(http1(faults, options.port))
    await asyncio.gather(*servers)


def main():
    parser = argparse.ArgumentParser(prog="qdrant_server", description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--api-key")
    parser.add_argument("--read-only-api-key")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    parser.add_argument("--http2", action="store_true")
    parser.add_argument("--no-validate", dest="validate", action="store_false")
    options = parser.parse_args()
    options.numbers = tuple(int(part) for part in options.version.split("-")[0].split("."))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(serve(options))


if __name__ == "__main__":
    sys.exit(main())
