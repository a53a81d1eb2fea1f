"""Sites of a company that open the chat in a corner, and a server with a small page of its own."""

import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import uvicorn

# The other side of the protocol of embed.js, as a page that says what it hears and asks on demand.
STAND_IN = """<!doctype html><title>stand-in</title>
<label>Question <input id="question"></label><button id="close">Close</button>
<button id="come">Come</button><button id="forge">Forge</button>
<pre id="answers"></pre><pre id="heard"></pre><pre id="kept"></pre>
<script>
const site = new URL(document.referrer).origin;
const of = (id) => document.getElementById(id);
const tell = (message) => parent.postMessage(message, site);
let list = [], signed = {}, count = 0;
addEventListener("message", ({ source, origin, data }) => {
  if (source !== parent || origin !== site) return;
  of("heard").append(JSON.stringify(data) + "\\n");
  if (data.frontdesk !== "stored") return;
  list = JSON.parse(data.value ?? "[]");
  signed = { user: data.user, signature: data.signature };
  of("kept").textContent = list.map(({ id }) => id).join(" ");
});
const post = (path, body, token) => fetch(path, { method: "POST", body: JSON.stringify(body),
  headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
}).then((response) => response.json());
async function ask(text) {
  if (!list.length) {
    const given = await post("/v1/conversations", signed);
    list = [{ id: given.conversation_id, token: given.token }];
    tell({ frontdesk: "store", do: "set", value: JSON.stringify(list) });
  }
  const [{ id, token }] = list;
  const messages = [{ role: "user", content: text }];
  const reply = await post("/v1/chat/completions", { messages, conversation_id: id }, token);
  of("answers").append(reply.choices[0].message.content + "\\n");
}
of("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter") ask(event.target.value);
  if (event.key === "Escape") tell({ frontdesk: "close" });
});
of("close").onclick = () => tell({ frontdesk: "close" });
of("come").onclick = () => tell({ frontdesk: "unread", count: (count += 1) });
of("forge").onclick = () => tell({ frontdesk: "unread", count: "<b>many</b>" });
tell({ frontdesk: "store", do: "get" });
</script>"""


@contextlib.contextmanager
def listening(app):
    """Serve an application on a free port of loopback, and give the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield port
    server.should_exit = True
    thread.join(10)


class Site:
    """A site on loopback; ``pages`` are HTML by path, all with the same strict policy."""

    def __init__(self):
        self.pages, self.policy = {}, ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # the name that the library calls
                page = site.pages.get(self.path)
                self.send_response(200 if page else 404)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-security-policy", site.policy)
                self.send_header("referrer-policy", "no-referrer")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, *_):
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
