"""Chatwoot's side, for tests: customers write, a bot answers over HTTP, people see it."""

import hashlib
import hmac
import itertools
import json
import re
import time
from urllib.parse import urlsplit

from tests.loopback import LoopbackServer

TOKEN, SECRET = "bots-token", "bots-secret"
PATH = re.compile(r"/api/v1/accounts/(\d+)/conversations/(\d+)/(messages|toggle_status)")


class ChatwootServer(LoopbackServer):
    """One account with a bot. ``tell`` gets each signed event: its body and headers."""

    account = 3

    def __init__(self):
        super().__init__(self._answered)
        self.messages: dict[int, list[dict]] = {}
        self.status: dict[int, str] = {}
        self.tell = None
        self.is_down = False
        self._ids = itertools.count(100)

    def writes(self, text, conversation=1, *, channel="Channel::WebWidget", **more):
        """Let a customer write; return the event that the bot is told."""
        self.status.setdefault(conversation, "pending")
        message = {"content": text, "message_type": "incoming", "content_type": "text", **more}
        return self.happens("message_created", self._kept(conversation, message), channel)

    def picks(self, message, value, channel="Channel::WebWidget"):
        """Let a customer press a button of a message."""
        submitted = [{"title": value, "value": value}]
        message["content_attributes"] = {
            **message["content_attributes"],
            "submitted_values": submitted,
        }
        return self.happens("message_updated", message, channel)

    def happens(self, event, message, channel="Channel::WebWidget"):
        number = message["conversation"]
        place = {"id": number, "status": self.status[number], "channel": channel}
        account = {"id": self.account, "name": "Bank"}
        told = {**message, "event": event, "conversation": place, "account": account}
        return self.send(json.dumps(told, ensure_ascii=False).encode())

    def send(self, body, timestamp=None, secret=SECRET):
        """Sign a body and tell it."""
        timestamp = str(int(time.time())) if timestamp is None else timestamp
        signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "x-chatwoot-delivery": "8f14e45f",
            "x-chatwoot-timestamp": timestamp,
            "x-chatwoot-signature": f"sha256={signed.hexdigest()}",
        }
        return self.tell(body, headers)

    def said(self, conversation=1):
        """Return what the bot said to the customer."""
        return [m for m in self._of_bot(conversation) if not m["private"]]

    def notes(self, conversation=1):
        return [m["content"] for m in self._of_bot(conversation) if m["private"]]

    def _of_bot(self, conversation):
        return [m for m in self.messages.get(conversation, ()) if m["message_type"] == "outgoing"]

    def _kept(self, conversation, message):
        defaults = {"private": False, "content_type": "text", "content_attributes": {}}
        kept = {"id": next(self._ids), "conversation": conversation, **defaults, **message}
        self.messages.setdefault(conversation, []).append(kept)
        return kept

    def _answered(self, came):
        if self.is_down:
            return 502, {}, b""
        if came.headers.get("api_access_token") != TOKEN:
            return 401, {}, b'{"error":"Invalid Access Token"}'
        found = PATH.fullmatch(urlsplit(came.path).path)
        if not found or int(found[1]) != self.account:
            return 404, {}, b""
        number, body = int(found[2]), json.loads(came.body)
        if found[3] == "toggle_status":
            self.status[number] = body["status"]
            return 200, {}, b"{}"
        items = body.get("content_attributes", {}).get("items", [])
        if not body["content"] or any(item.keys() != {"title", "value"} for item in items):
            return 422, {}, b""
        message = self._kept(number, {"message_type": "outgoing", **body})
        return 200, {}, json.dumps(message).encode()
