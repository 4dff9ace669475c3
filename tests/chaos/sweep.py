"""One sweep on four boards, from its start over its faults to its end."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jetbench.cli import exit_codes
from tests.chaos.checks import check_launched, is_complete
from tests.chaos.host import Host
from tests.chaos.scenario import ENDS_THE_HOST, LEAVES_THE_BOARD, MODELS, OF_THE_HOST, REPEATS
from tests.e2e.program import NET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualBoard, VirtualFleet
    from tests.chaos.board import WatchedBoard
    from tests.chaos.host import Launched
    from tests.chaos.scenario import Fault, Kind, Scenario

WITHIN_S = 120.0
"""For each command: none takes a tenth of it, even on a busy machine."""
MAX_LAUNCHES = 15
"""Each fault can end the program, and what comes after ends it by itself."""
_LOOK_S = 0.02
_LEAVES_S = 15.0
_OUT_OF_REACH_S = 1.5
_SILENT_S = 0.7
_RIVAL_REPEATS = 2


@dataclass
class Sweep:
    """One sweep: its hosts, its boards, and what became of the faults."""

    plan: Scenario
    fleet: VirtualFleet
    boards: list[WatchedBoard]
    folder: Path
    story: list[str] = field(default_factory=list)
    """What happened, in order."""
    fired: list[Fault] = field(default_factory=list)
    id: str | None = None
    began_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Three hosts: the one that begins, another one, and one that wants a board, too."""
        inventory = self.folder / "inventory.yaml"
        inventory.write_text(self.fleet.inventory_text())
        self.first, self.other, self.rival = (
            Host(self.folder / name, inventory) for name in ("first", "other", "rival")
        )
        self.hosts = (self.first, self.other)
        for number in range(MODELS):
            text = NET.replace('"small"', f'"m{number}"')
            for host in (self.first, self.rival):
                host.net(f"m{number}.prototxt", text)
        self.waiting = list(self.plan.faults)
        self.beside: list[Launched] = []
        """Commands that run beside the one that follows the sweep."""
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.elsewhere = False
        for fault in self.plan.faults:
            if fault.moment.event == "caffe":
                self.boards[fault.moment.board].hold(fault.moment.count)

    def run(self) -> None:
        """Run it to its end, taking it up again as often as it is cut off."""
        models = [f"m{number}=m{number}.prototxt" for number in range(MODELS)]
        detach = ("--detach",) if self.plan.detach else ()
        options = ("--iterations", "2", "--repeats", str(REPEATS), *self.plan.options, *detach)
        self.main = self.launch(self.first, ("run", *models, *options))
        for _ in range(MAX_LAUNCHES):
            self.follow(self.main)
            for fault in self.fired:
                self.let_go(fault)
            if self.is_over(self.main):
                break
            self.main = self.launch(*self.next_after(self.main))
        else:
            raise AssertionError("it does not come to an end")
        # What is still waited for can come no more.
        self.waiting.clear()
        for board in self.boards:
            for path in board.run.glob("hold-*"):
                path.unlink()
        for launched in self.beside:
            self.follow(launched)
        for _, act in self.later:
            act()

    def end_all(self) -> None:
        """End every command that still runs."""
        for host in (*self.hosts, self.rival):
            for launched in host.launched:
                launched.process.kill()
                launched.process.wait()

    def launch(self, host: Host, arguments: tuple[str, ...]) -> Launched:
        launched = host.launch(*arguments)
        self.tell(str(launched))
        return launched

    def tell(self, what: str) -> None:
        self.story.append(f"{time.monotonic() - self.began_s:6.2f} {what}")

    def follow(self, launched: Launched) -> None:
        """Let faults happen until a command has ended; how it ended must be right."""
        give_up_s = time.monotonic() + WITHIN_S
        while launched.status is None:
            assert time.monotonic() < give_up_s, f"{launched}: it does not end"
            self.step()
            time.sleep(_LOOK_S)
        self.look(launched.host)
        self.tell(f"{launched}: ended with {launched.status}")
        check_launched(launched, self.sweep_id())

    def is_over(self, launched: Launched) -> bool:
        """Whether the last command has brought all that can be had."""
        if launched.status not in {exit_codes.OK, exit_codes.FAILED}:
            return False
        document = launched.host.document(self.sweep_id() or "")
        return "--detach" not in launched.arguments and is_complete(document)

    def next_after(self, launched: Launched) -> tuple[Host, tuple[str, ...]]:
        """How somebody takes the sweep up again after a command has ended."""
        sweep = self.sweep_id()
        if sweep is None:
            # Nothing was begun.
            return self.first, launched.arguments
        if "--detach" in launched.arguments and launched.status == exit_codes.OK:
            return self.first, ("attach", "latest")
        host = launched.host
        if self.elsewhere:
            host = self.first if host is self.other else self.other
            self.elsewhere = False
        elif launched.status in {exit_codes.OK, exit_codes.FAILED, exit_codes.USAGE}:
            # What only one of the boards knew is no whole sweep.
            host = self.first
        known = (host.results / sweep).exists()
        return host, ("run", "--resume", "latest" if known else sweep)

    def sweep_id(self) -> str | None:
        """What the sweep is called, once it has a folder."""
        if self.id is None:
            self.id = next((path.name for path in self.first.sweeps()), None)
        return self.id

    def look(self, host: Host) -> None:
        for board in self.boards:
            board.look(host.name)

    def step(self) -> None:
        """Look at the boards once, and let happen what is due."""
        self.look(self.main.host)
        now_s = time.monotonic()
        for when in [when for when in self.later if when[0] <= now_s]:
            self.later.remove(when)
            when[1]()
        for fault in tuple(self.waiting):
            # One may have let another happen, or have ended the program.
            if fault not in self.waiting or not self.is_due(fault):
                continue
            self.waiting.remove(fault)
            self.fired.append(fault)
            self.tell(f"fault: {fault}")
            self.let(fault, self.main)
            # Ctrl-C finds the trial still there.
            if fault.kind != "ctrl-c":
                self.let_go(fault)

    def is_due(self, fault: Fault) -> bool:
        """Whether its moment has come, and there is what it needs."""
        main = self.main
        if self.sweep_id() is None:
            return False
        if fault.kind in OF_THE_HOST and not (main.said() and main.status is None):
            # It must have begun, and learnt to deal with signals.
            return False
        if "--detach" in main.arguments and fault.kind in ENDS_THE_HOST - {"host killed"}:
            return False
        moment = fault.moment
        board = self.boards[moment.board]
        if moment.event == "planned":
            return True
        if moment.event == "caffe":
            return board.held(moment.count)
        return board.seen(moment.event) >= moment.count

    def let_go(self, fault: Fault) -> None:
        """Let the trial go on that a fault has come to, unless another waits for it, too."""
        moment = fault.moment
        if moment.event == "caffe" and all(other.moment != moment for other in self.waiting):
            self.boards[moment.board].let_go(moment.count)

    def let(self, fault: Fault, launched: Launched) -> None:
        """Let a fault happen."""
        acts = self.acts(self.boards[fault.moment.board], launched)
        acts[fault.kind]()
        self.elsewhere = self.elsewhere or fault.elsewhere

    def acts(self, watched: WatchedBoard, launched: Launched) -> dict[Kind, Callable[[], object]]:
        """What each kind of fault does, at a board or to the command that follows the sweep."""
        board, sweep = watched.board, self.sweep_id() or ""
        rivals = (
            *("run", "m0=m0.prototxt", "--repeats", str(_RIVAL_REPEATS), "--warm-up", "0"),
            *("--no-telemetry", "--cooldown", "off", "-b", board.name, "--format", "json"),
        )
        return {
            "attach": lambda: self.beside.append(self.launch(self.rival, ("attach", sweep))),
            "ctrl-c": lambda: launched.process.send_signal(signal.SIGINT),
            "ctrl-c twice": lambda: self.interrupt_twice(launched),
            "cut": board.cut,
            "host killed": launched.process.kill,
            "kill caffe": lambda: watched.kill("caffe"),
            "kill guard": lambda: watched.kill("guard.sh"),
            "kill runner": lambda: watched.kill("runner.sh"),
            "reboot": board.reboot,
            "refuse": lambda: self.refuse(board),
            "rival": lambda: self.let_in(self.launch(self.rival, rivals)),
            "shutdown": lambda: board.reboot(in_order=True),
            "silence": lambda: self.silence(board),
            "stop": lambda: self.beside.append(self.launch(self.other, ("stop", sweep))),
        }

    def let_in(self, rival: Launched) -> None:
        """While a trial of ours runs, and was told nothing else, it must hear who is there."""
        self.beside.append(rival)
        if self.fired[-1].moment.event == "caffe":
            self.follow(rival)
            busy = "busy: " in rival.out.read_text("utf-8") and rival.status == exit_codes.NOTHING
            ended = any(fault.kind not in LEAVES_THE_BOARD for fault in self.fired)
            assert busy or ended, f"{rival}: {rival.status}: {rival.said()}"

    def refuse(self, board: VirtualBoard) -> None:
        board.pause()
        board.cut()
        self.after(_OUT_OF_REACH_S, board.resume)

    def silence(self, board: VirtualBoard) -> None:
        board.hang()
        self.after(_SILENT_S, board.cut)

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.later.append((time.monotonic() + seconds, act))

    def interrupt_twice(self, launched: Launched) -> None:
        """The second one as soon as the first was heard; it then leaves at once."""
        if "SIGINT" not in launched.said():
            launched.process.send_signal(signal.SIGINT)
        give_up_s = time.monotonic() + _LEAVES_S
        while launched.status is None and "SIGINT" not in launched.said():
            assert time.monotonic() < give_up_s, "it does not hear Ctrl-C"
            time.sleep(_LOOK_S)
        launched.process.send_signal(signal.SIGINT)
        while launched.status is None:
            assert time.monotonic() < give_up_s, "it does not leave at once"
            time.sleep(_LOOK_S)
