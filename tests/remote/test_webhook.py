"""Messages to a URL, whatever is behind it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import LinkLostError, UsageError
from jetbench.remote import webhook
from jetbench.remote.webhook import check_url, post

if TYPE_CHECKING:
    from collections.abc import Iterator


class Hook(BaseHTTPRequestHandler):
    """Answers as the path says, and keeps what it was sent."""

    received: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        """One message."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, dict(self.headers), body))
        kind = self.path.strip("/").split("/")[0]
        if kind == "closes":
            self.close_connection = True
            return
        if kind == "hangs":
            threading.Event().wait(1)
            return
        status = int(kind) if kind.isdigit() else 200
        if kind == "busy-once":
            status = 503 if len(self.received) == 1 else 200
        self.send_response(status)
        if status in {301, 302, 307, 308}:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a server; tries follow each other at once."""
    Hook.received = []
    monkeypatch.setattr(webhook, "_PAUSE_S", 0.0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_message_is_json(hook: str) -> None:
    """Sent once."""
    post(f"{hook}/services/T0/secret", {"text": "red → 4"})
    [(path, headers, body)] = Hook.received
    assert path == "/services/T0/secret"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"text": "red → 4"}


def test_who_is_busy_is_asked_again(hook: str) -> None:
    """Until it is taken."""
    post(f"{hook}/busy-once", {})
    assert len(Hook.received) == 2


@pytest.mark.parametrize(
    ("path", "tries", "said"),
    [
        ("500/secret", 3, "it answers 500"),
        ("429/secret", 3, "it answers 429"),
        ("403/secret", 1, "it answers 403"),
        ("404/secret", 1, "it answers 404"),
        ("302/secret", 1, "it answers 302"),
        ("307/secret", 1, "it answers 307"),
        ("closes/secret", 3, ""),
    ],
)
def test_who_does_not_take_it_is_said(hook: str, path: str, tries: int, said: str) -> None:
    """After a few tries where another may help; sent elsewhere, the message does not follow."""
    with pytest.raises(LinkLostError, match=r"the webhook at 127\.0\.0\.1 did not take") as raised:
        post(f"{hook}/{path}", {})
    assert said in raised.value.message
    assert "secret" not in raised.value.message
    assert len(Hook.received) == tries
    assert all("elsewhere" not in received for received, _, _ in Hook.received)


def test_who_never_answers_is_given_up(hook: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a time, three times."""
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.1)
    with pytest.raises(LinkLostError, match="did not take the message"):
        post(f"{hook}/hangs", {})
    assert len(Hook.received) == 3


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said by its host."""
    monkeypatch.setattr(webhook, "_PAUSE_S", 0.0)
    with pytest.raises(LinkLostError, match=r"the webhook at 127\.0\.0\.1"):
        post("http://127.0.0.1:9/secret", {})


@pytest.mark.parametrize(
    "url",
    ["", "secret", "ftp://host/x", "file:///etc/passwd", "https://", "https:// host/x",
     "https://host/\nx", "https://host:0/", "https://[::1/x", "https://höst/"],
)  # fmt: skip
def test_what_is_no_url_is_refused(url: str) -> None:
    """And not repeated: it may be a secret."""
    with pytest.raises(UsageError, match="the webhook's URL is none"):
        check_url(url)


def test_a_url_may_stand_in_a_file_with_a_line_end() -> None:
    """As an editor leaves it."""
    assert check_url(" https://hooks.example/T0/x\n") == "https://hooks.example/T0/x"
