"""A server on loopback with scripted answers, and a client of it."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from lrnanalysis.api.client import Client

SECRET = "a-secret-that-nobody-sees"


@contextlib.contextmanager
def scripted(*answers, **settings):
    """A client whose server returns (status, body[, headers]) in turn, then the last one always.

    The client's `received` lists the requests as (headers, form).
    """
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.headers, parse_qs(sent.decode())))
            status, body, *headers = answers[min(len(received), len(answers)) - 1]
            self.send_response(status)
            for name, value in (headers[0] if headers else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        options = {"backoff": 0.0, "rate_limit_wait": 0.0} | settings
        try:
            with Client("a-key", SECRET, base_url=url, **options) as client:
                client.received = received
                yield client
        finally:
            server.shutdown()
            thread.join()
