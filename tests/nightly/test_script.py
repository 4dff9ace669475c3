"""The nightly script by itself: settings, locks, faults, and what starts it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jetbench.virtual.fleet import VirtualFleet
from jetbench.virtual.options import BoardOptions
from tests.e2e.program import NET, at_rest, wait_until
from tests.nightly.script import SCRIPT, Nightly
from tests.remote.test_webhook import Hook, hook
from tests.virtual.helpers import FAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hook"]

SYSTEMD = SCRIPT.parent / "systemd"
DOCS = SCRIPT.parents[1] / "docs" / "how-to" / "nightly.md"
PLAN = """\
models: [alpha.prototxt]
repeats: 2
warm-up: 0
cooldown: "off"
telemetry: false
"""


@contextmanager
def lab(folder: Path, options: BoardOptions = FAST) -> Iterator[VirtualFleet]:
    """A board."""
    with VirtualFleet(boards=1, directory=folder / "fleet", options=options) as fleet:
        (folder / "inventory.yaml").write_text(fleet.inventory_text())
        yield fleet


@pytest.fixture
def nightly(tmp_path: Path) -> Nightly:
    """The script, a plan and a net; no board runs yet."""
    (tmp_path / "alpha.prototxt").write_text(NET)
    return Nightly(tmp_path, plan=PLAN)


def test_a_good_night_tells_everybody(nightly: Nightly, hook: str) -> None:
    """A line, a report, a file for CI, one for Prometheus, a message; in folders of others."""
    settings = nightly.folder / "nightly.env"
    settings.write_text(
        "# a comment\n\n"
        'JETBENCH_REPORT="report.md"\n'
        "JETBENCH_SITE=site\n"
        "JETBENCH_JUNIT=night.xml\n"
        "JETBENCH_PROMETHEUS='night.prom'\r\n"
        "JETBENCH_WEBHOOK=env:HOOK\nJETBENCH_CHAT=slack\nJETBENCH_NOTIFY=always\n"
        f"HOOK={hook}/secret\n"
        "JETBENCH_BASELINE=$(touch pwned)\n"
    )
    with lab(nightly.folder):
        # The environment wins.
        night = nightly("nightly.env", JETBENCH_BASELINE="good")
        again = nightly("nightly.env", JETBENCH_BASELINE="good")
    assert (night.status, again.status) == (0, 0)
    assert night.line.count("\n") == again.line.count("\n") == 1
    assert ": green; 1 ok; simulated; sweep " in again.line
    assert "Gate green against good" in (nightly.folder / "report.md").read_text()
    assert 'tests="1" failures="0"' in (nightly.folder / "night.xml").read_text()
    front = nightly.folder / "site" / "index.html"
    assert "2 sweeps" in front.read_text()
    assert front.stat().st_mode & 0o777 == 0o644
    prom = nightly.folder / "night.prom"
    assert list(text_string_to_metric_families(prom.read_text()))
    assert prom.stat().st_mode & 0o777 == 0o644
    assert len(Hook.received) == 2
    for file in nightly.results.rglob("*"):
        assert not file.is_file() or b"/secret" not in file.read_bytes()
    assert not (nightly.folder / "pwned").exists()
    assert not list(nightly.results.glob(".nightly.*[!k]"))


def test_two_nights_do_not_meet(nightly: Nightly) -> None:
    """The second one says so, and has an exit code of its own; nothing of the first is touched."""
    nightly.results.mkdir()
    with (nightly.results / ".nightly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        night = nightly()
    assert (night.status, night.line) == (75, "")
    assert "another night still runs in" in night.err


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("models: [nowhere.prototxt]\n", "nowhere.prototxt"),
        ("modles: [alpha.prototxt]\n", "there is no option 'modles'"),
        (None, "night.yaml cannot be read"),
    ],
)
def test_a_night_that_cannot_start_is_no_night_of_yesterday(
    nightly: Nightly, hook: str, plan: str | None, said: str
) -> None:
    """Exit code 2; it is told with why, also to Prometheus and the chat."""
    if plan is None:
        nightly.plan.unlink()
    else:
        nightly.plan.write_text(plan)
    (nightly.folder / "inventory.yaml").write_text("boards: {one: {host: 127.0.0.1}}\n")
    night = nightly(
        JETBENCH_WEBHOOK="env:HOOK", HOOK=f"{hook}/x", JETBENCH_PROMETHEUS="night.prom"
    )
    assert night.status == 2
    assert night.line.startswith("jetbench: the night could not start: ")
    assert said in night.line
    assert "jetbench_night_exit_code 2" in (nightly.folder / "night.prom").read_text()
    assert len(Hook.received) == 1


def test_a_night_without_boards_is_3(nightly: Nightly) -> None:
    """Not 0 and not 4, and it becomes no baseline."""
    (nightly.folder / "inventory.yaml").write_text(
        "boards: {one: {host: 127.0.0.1, port: 9, user: nobody}}\n"
    )
    night = nightly()
    assert night.status == 3
    assert "1 lost" in night.line
    assert not (nightly.results / "names.json").exists()


def test_a_message_that_is_not_taken_is_said(nightly: Nightly) -> None:
    """The night was good, and is not silent over that: exit code 1."""
    with lab(nightly.folder):
        night = nightly(
            JETBENCH_WEBHOOK="env:HOOK", HOOK="http://127.0.0.1:9/secret", JETBENCH_NOTIFY="always"
        )
    assert night.status == 1
    assert "the webhook at 127.0.0.1 did not take the message" in night.err
    assert "secret" not in night.err
    assert "1 ok" in night.line


@pytest.mark.parametrize(
    ("settings", "said"),
    [("JETBENCH_PLAN\n", "settings.env:1: no VARIABLE=value"), ("x y=1\n", ":1: no VARIABLE")],
)
def test_settings_that_are_none_are_said(nightly: Nightly, settings: str, said: str) -> None:
    """With file and line; nothing runs."""
    (nightly.folder / "settings.env").write_text(settings)
    night = nightly("settings.env")
    assert (night.status, said in night.err) == (2, True)
    assert nightly("no-such.env").status == 2
    assert not nightly.results.exists()


def test_it_says_how_it_is_used(nightly: Nightly) -> None:
    """Every setting; more than a file is wrong usage."""
    shown = nightly("--help")
    assert shown.status == 0
    for name in sorted(set(re.findall(r"JETBENCH_[A-Z_]+", SCRIPT.read_text()))):
        assert name in shown.line
    assert nightly("a", "b").status == 2


def test_a_night_without_a_plan_is_said(nightly: Nightly) -> None:
    """By the setting that is missing."""
    night = nightly(JETBENCH_PLAN="")
    assert night.status == 2
    assert "JETBENCH_PLAN names no plan file" in night.line


def test_who_stops_the_service_stops_the_sweep(nightly: Nightly) -> None:
    """SIGTERM: the trials are ended, the boards put back, what was finished is kept."""
    nightly.plan.write_text(PLAN.replace("repeats: 2", "repeats: 30"))
    with lab(nightly.folder, BoardOptions(time_scale=1.0)) as fleet:
        with subprocess.Popen(
            [SCRIPT], cwd=nightly.folder, env=nightly.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as night:  # fmt: skip
            assert night.stderr is not None
            for line in night.stderr:
                if "1/30" in line:
                    break
            night.send_signal(signal.SIGTERM)
            out, err = night.communicate(timeout=60)
        assert night.returncode == 130, err
        assert "interrupted" in out
        wait_until(lambda: at_rest(fleet.boards[0]))
    assert len(list(nightly.results.glob("*/result.json"))) == 1


def test_a_killed_night_locks_nobody_out(nightly: Nightly) -> None:
    """The kernel lets go of its lock; the next one runs."""
    with lab(nightly.folder, BoardOptions(time_scale=1.0)), subprocess.Popen(
        [SCRIPT], cwd=nightly.folder, env=nightly.environment, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    ) as night:  # fmt: skip
        assert night.stderr is not None
        for line in night.stderr:
            if "1/2" in line:
                break
        os.killpg(night.pid, signal.SIGKILL)
    with lab(nightly.folder):
        later = nightly(JETBENCH_PLAN=str(nightly.plan))
    assert later.status != 75
    assert "another night" not in later.err


def test_systemd_takes_the_units() -> None:
    """As its own verifier says, with the paths of this checkout."""
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd is not installed")
    done = subprocess.run(
        [verify, "verify", *SYSTEMD.iterdir()], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "jetbench-nightly" in line]
    # The program lies where the user will put it.
    assert [line for line in said if "is not executable" not in line] == []


def test_the_service_runs_the_script(nightly: Nightly) -> None:
    """Its command line, run as systemd would: no shell, a bare environment."""
    unit = (SYSTEMD / "jetbench-nightly.service").read_text()
    [command] = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    program, settings = shlex.split(command)
    assert program.endswith("/scripts/nightly.sh")
    assert settings == "/etc/jetbench/nightly.env"
    env = nightly.folder / "nightly.env"
    env.write_text(
        "".join(f"{k}={v}\n" for k, v in nightly.environment.items() if k not in {"PATH", "HOME"})
    )
    with lab(nightly.folder):
        done = subprocess.run(
            [SCRIPT, env], cwd=nightly.folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=120,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": nightly.environment["HOME"]},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "1 ok" in done.stdout


def test_the_line_for_cron_runs_the_script(nightly: Nightly) -> None:
    """As cron runs it: sh, and an environment with nothing in it but what cron sets."""
    [line] = re.findall(r"^(30 2 .*)$", DOCS.read_text(), re.MULTILINE)
    command = line.split(None, 5)[5]
    env = nightly.folder / "nightly.env"
    env.write_text("".join(f"{k}={v}\n" for k, v in nightly.environment.items() if k != "PATH"))
    command = command.replace("/opt/jetbench/scripts/nightly.sh", str(SCRIPT))
    command = command.replace("/etc/jetbench/nightly.env", str(env))
    command = command.replace("/var/lib/jetbench", str(nightly.folder))
    # In a crontab a % ends the line.
    assert "%" not in command
    with lab(nightly.folder):
        done = subprocess.run(
            ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=120,
            env={
                "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "LOGNAME": "jetbench",
                "HOME": nightly.environment["HOME"],
            },
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    logs = list(nightly.folder.glob("*.log"))
    assert "1 ok" in done.stdout or any("1 ok" in log.read_text() for log in logs)


def test_a_night_leaves_nothing_running(nightly: Nightly) -> None:
    """When the script has ended, so has all that it has started."""
    with lab(nightly.folder) as fleet:
        nightly()
        assert at_rest(fleet.boards[0])
    with (nightly.results / ".nightly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_further_host_is_held_against_the_baseline_of_the_team(tmp_path: Path) -> None:
    """Its first night is none without a gate, and takes nobody's name away."""
    shared = f"sqlite:///{tmp_path}/team.sqlite"
    hosts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "alpha.prototxt").write_text(NET)
        hosts.append(Nightly(tmp_path / name, plan=PLAN))
    with lab(tmp_path) as fleet:
        for host in hosts:
            (host.folder / "inventory.yaml").write_text(fleet.inventory_text())
        first, second = (host(JETBENCH_DB=shared) for host in hosts)
    assert ": no gate; 1 ok; simulated; sweep " in first.line
    assert ": green; 1 ok; simulated; sweep " in second.line, second.err
    listed = hosts[1].jetbench("baseline", "list", "--db", shared, "--format", "json").stdout
    assert json.loads(listed)["names"]["nightly"] in first.line
