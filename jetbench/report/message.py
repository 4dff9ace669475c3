"""A night in a few lines, for the end of a log, a mail, or a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from jetbench.domain.record import Status
from jetbench.formats.gate import gate_to_json
from jetbench.formats.words import printable
from jetbench.report.gate import gate_text

if TYPE_CHECKING:
    from jetbench.domain.gate import Gate
    from jetbench.domain.kept import KeptSweep

Chat = Literal["json", "slack", "mattermost", "teams", "discord"]
Json = dict[str, Any]

_NAME = 60
_MOST = 3000
"""Letters; Discord takes 2,000 in `content`, Slack 3,000 in a block."""
_DISCORD = 1900


def summary_line(sweep: KeptSweep, gate: Gate | None, exit_code: int | None = None) -> str:
    """One line that says it all."""
    counts = [
        f"{count} {status}"
        for status in get_args(Status)
        if (count := sum(record.status == status for record in sweep.records))
    ]
    verdict = "no gate" if gate is None else gate.verdict
    parts = [
        f"jetbench {printable(sweep.started_utc or '', _NAME)[:10]}: {verdict}",
        _slower(gate) if gate else None,
        ", ".join(counts) or "no case",
        "simulated" if sweep.simulated else None,
        "interrupted" if sweep.interrupted else None,
        f"sweep {printable(sweep.id, _NAME)}",
        f"exit code {exit_code}" if exit_code else None,
    ]
    return "; ".join(part for part in parts if part)


def _slower(gate: Gate) -> str | None:
    slow = gate.regressions
    if not slow:
        return None
    boards = ", ".join(dict.fromkeys(printable(one.board, _NAME) for one in slow))
    models = ", ".join(dict.fromkeys(printable(one.model, _NAME) for one in slow))
    changed = ", ".join(dict.fromkeys(printable(text) for one in slow for text in one.changed[:1]))
    return f"slower on {boards}: {models}" + (f" ({changed})" if changed else "")


def payload(
    chat: Chat,
    sweep: KeptSweep | None,
    gate: Gate | None,
    exit_code: int | None,
    error: str | None = None,
) -> Json:
    """What is sent to a URL.

    Args:
        chat: Whose form it has: that of Slack's, Mattermost's, Teams' or Discord's incoming
            webhooks, or plain JSON with everything that the gate says.
        sweep: The night; None where it never began.
        gate: What the gate says.
        exit_code: Of the night.
        error: Why it never began.
    """
    line = f"jetbench: {error}" if sweep is None else summary_line(sweep, gate, exit_code)
    details = "" if gate is None else gate_text(gate)
    text = f"{line}\n```\n{details[:_MOST]}```" if details else line
    match chat:
        case "slack" | "mattermost":
            # In a code block neither shows links, mentions or emphasis that a name may hold.
            return {"text": _tame(text)}
        case "discord":
            return {"content": text[:_DISCORD], "allowed_mentions": {"parse": []}}
        case "teams":
            blocks = [line, details] if details else [line]
            return {
                "type": "message",
                "attachments": [
                    {
                        "contentType": "application/vnd.microsoft.card.adaptive",
                        "content": {
                            "type": "AdaptiveCard",
                            "version": "1.4",
                            "body": [
                                {"type": "TextBlock", "text": block, "wrap": True}
                                for block in blocks
                            ],
                        },
                    }
                ],
            }
        case _:
            return {
                "schema": 1,
                "summary": line,
                "exit_code": exit_code,
                "sweep": None if sweep is None else sweep.id,
                "simulated": None if sweep is None else sweep.simulated,
                "error": error,
                "gate": None if gate is None else gate_to_json(gate),
            }


def _tame(text: str) -> str:
    """Slack's three control letters, as its documentation wants them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
