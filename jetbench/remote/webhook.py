"""A message to a URL. The URL is a secret: no message, no error names it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jetbench.domain.errors import LinkLostError, UsageError

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from typing import IO

TIMEOUT_S = 10.0
TRIES = 3
_PAUSE_S = 1.0
_ANSWER = 65536
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that another try may change."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who is sent elsewhere takes a secret with him."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the library's
        self,
        req: urllib.request.Request,  # noqa: ARG002 - as above
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: HTTPMessage,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        return None


def check_url(url: str) -> str:
    """A URL that something can be sent to, without the blanks around it.

    Raises:
        UsageError: It is none.
    """
    plain = url.strip()
    try:
        parts = urlsplit(plain)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not plain.isascii() or any(letter.isspace() for letter in plain):
        raise UsageError("the webhook's URL is none", hint="it begins with https://")
    return plain


def post(url: str, message: object) -> None:
    """Send JSON; three tries, ten seconds each.

    Raises:
        LinkLostError: It was not taken; the message names the host, and nothing else of the URL.
    """
    host = urlsplit(url).hostname
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(  # noqa: S310 - check_url has seen the scheme
        url,
        data=json.dumps(message).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "jetbench"},
        method="POST",
    )
    why = ""
    for number in range(TRIES):
        if number:
            time.sleep(_PAUSE_S * 2 ** (number - 1))
        try:
            with opener.open(request, timeout=TIMEOUT_S) as answer:
                answer.read(_ANSWER)
                return
        except urllib.error.HTTPError as error:
            why = f"it answers {error.code}"
            error.close()
            if error.code not in _BUSY:
                break
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            why = (
                reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
            )
    raise LinkLostError(
        f"the webhook at {host} did not take the message: {why}",
        hint="nothing of what was measured is lost; `jetbench notify` sends it again",
    )
