"""What the guard of a board's power state has said in a journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.domain.facts import PowerMode
from jetbench.formats.tegra import parse_clocks_locked, parse_nvpmodel_query
from jetbench.formats.words import printable, unwrapped, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jetbench.formats.journal import Event


@dataclass(frozen=True, slots=True)
class Proved:
    """A power mode that was set and read back."""

    mode: PowerMode | None
    locked: bool | None
    """Whether the clocks were read back as locked."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard's words, as values."""

    started: bool = False
    proved: Mapping[str, Proved] = field(default_factory=dict)
    """By what was asked for: an id, a name, or ``keep``."""
    touched: bool = False
    """Whether anything was changed, also where not all that was asked for could be."""
    failure: str | None = None
    restored: bool | None = None
    """Whether everything was put back; None where there was nothing to put back yet."""
    outlived: bool = False
    """Whether the last guard that had changed anything has put it back itself."""
    mode_restored: PowerMode | None = None
    """The mode that was put back."""
    mode_before: PowerMode | None = None
    locked_before: bool | None = None

    def proof_of(self, asked: str) -> Proved | None:
        """What was read back when a mode was asked for.

        A journal of before there were several modes in a sweep does not say which it was.
        """
        return self.proved.get(asked) or self.proved.get("")

    @classmethod
    def read(cls, events: Sequence[Event]) -> Guard:
        """From the events of a journal, and of what was put back later."""
        said = [event.fields for event in events if event.kind == "guard"]
        proved: dict[str, Proved] = {}
        shown: dict[tuple[str | None, str | None], str] = {}
        states: dict[str, Mapping[str, str]] = {}
        for fields in said:
            if "show" in fields:
                key = fields.get("show"), fields.get("when")
                shown[key] = unwrapped(fields.get("text_b64", ""))
            if fields.get("state") in {"saved", "recovered"}:
                # Another one: what an earlier one could not do is made good.
                states.pop("not-restored", None)
            if fields.get("state") == "saved":
                states.pop("failed", None)
            if "state" in fields:
                states[fields["state"]] = fields
            if fields.get("state") == "ready":
                number = whole(fields.get("mode"))
                mode = parse_nvpmodel_query(shown.get(("nvpmodel", "set"), ""))
                if mode is None or mode.id != number:
                    mode = None if number is None else PowerMode(number, None)
                locked = {"1": True, "0": False}.get(fields.get("locked", ""))
                proved[fields.get("asked", "")] = Proved(mode, locked)
        failed = states.get("failed") or states.get("not-restored")
        return cls(
            started=bool(said),
            proved=proved,
            touched=not states.keys().isdisjoint({"ready", "restored", "not-restored"}),
            failure=printable(failed.get("reason", "")) if failed else None,
            restored=_restored(said),
            outlived=_said_last(said, "restored"),
            mode_restored=parse_nvpmodel_query(
                shown.get(("nvpmodel", "restored")) or shown.get(("nvpmodel", "recovered"), "")
            ),
            mode_before=parse_nvpmodel_query(shown.get(("nvpmodel", "before"), "")),
            locked_before=parse_clocks_locked(shown.get(("jetson_clocks", "before"), "")),
        )


def _said_last(said: Sequence[Mapping[str, str]], state: str) -> bool:
    """Whether this was the last of a guard's states."""
    states = [fields["state"] for fields in said if "state" in fields]
    return bool(states) and states[-1] == state


def _restored(said: Sequence[Mapping[str, str]]) -> bool | None:
    """Whether all is as it was before the sweep, by the last word on it."""
    restored = None
    for fields in said:
        match fields.get("state"):
            case "saved" | "ready" | "not-restored":
                restored = False
            case "restored" | "recovered":
                restored = True
            case "failed" if restored is None:
                # It had not begun.
                restored = True
    return restored
