"""A small HTTP server on loopback, which keeps what it was sent."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Came:
    """A request. Its headers' names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class LoopbackServer:
    """Answers each request with what ``answer`` says of it: a status, headers and a body."""

    def __init__(self, answer=lambda came: (204, {}, b""), tls=None):
        self.came: list[Came] = []
        handler = type("Handler", (_Handler,), {"answer": staticmethod(answer), "came": self.came})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):  # the name that the library calls
        size = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        came = Came(self.path, headers, self.rfile.read(size))
        self.came.append(came)
        status, more, body = self.answer(came)
        self.send_response(status)
        for name, value in {**more, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Print nothing."""
