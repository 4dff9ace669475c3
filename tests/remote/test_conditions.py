"""Power modes, heat, warm-ups, telemetry and precision, as the scripts on a board keep them."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from scipy.special import stdtrit

from jetbench.bench.guard import Guard
from jetbench.domain.errors import BusyError
from jetbench.formats.journal import EventReader
from jetbench.remote.exchange import script_text
from jetbench.remote.parcel import Row
from jetbench.remote.session import Session
from tests.remote.sweeping import SWEEP, drain, drain_until, parcel, read, states, wait_for

if TYPE_CHECKING:
    from tests.remote.folder_board import Board

CONF = """\
< PARAM TYPE=FILE NAME=CPU_ONLINE >
CORE_1 /sys/devices/system/cpu/cpu1/online

< PARAM TYPE=CLOCK NAME=GPU >
FREQ_TABLE /sys/gpu/steps
MAX_FREQ /sys/gpu/max_freq

< POWER_MODEL ID=0 NAME=FAST >
CPU_ONLINE CORE_1 1
GPU MAX_FREQ 900

< POWER_MODEL ID=1 NAME=SLOW >
CPU_ONLINE CORE_1 0
GPU MAX_FREQ 450

< PM_CONFIG DEFAULT=3 >
"""
GPU_ZONE = "sys/devices/virtual/thermal/thermal_zone0"


def put(board: Board, name: str, text: str) -> None:
    """A file of the board."""
    path = board.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def sweep(board: Board, rows: tuple[Row, ...], **settings: str) -> bytes:
    """The journal of a whole sweep."""
    made = parcel(board, sweep=SWEEP, trials=0, rows=rows, **settings)
    return drain(Session(board.link()).start(made, password=None))


def row(number: int, *, mode: str = "0", case: int = 0, repeat: int = 1) -> Row:
    """A trial of the one net."""
    return Row(number, "0.prototxt", 7, mode, case, repeat)


def events(data: bytes, kind: str) -> list[dict[str, str]]:
    """All events of one kind."""
    return [dict(event.fields) for event in EventReader().feed(data) if event.kind == kind]


def test_each_power_mode_is_set_once_and_the_boards_own_comes_back(board: Board) -> None:
    """Two trials in mode 0, two in mode 1: two changes, each proved, then mode 3 again."""
    rows = (row(1), row(2, repeat=2), row(3, mode="1", case=1), row(4, mode="1", case=1, repeat=2))
    guard, trials, end = read(sweep(board, rows))
    assert [trial.id for trial in trials] == [1, 2, 3, 4]
    assert end == "finished"
    ready = [said for said in guard if said.get("state") == "ready"]
    assert [(said["asked"], said["mode"], said["locked"]) for said in ready] == [
        ("0", "0", "1"),
        ("1", "1", "1"),
    ]
    assert states(guard) == ["ready", "ready", "restored"]
    assert (board.mode, board.locked) == ("3", False)


def test_a_mode_that_fails_half_way_ends_the_sweep_and_restores(board: Board) -> None:
    """What was measured in the first mode stays; the second is refused with its reason."""
    put(board, "etc/nvpmodel.conf", CONF)
    follower = Session(board.link()).start(
        parcel(board, rows=(row(1), row(2, mode="NONE", case=1))), password=None
    )
    guard, trials, end = read(drain(follower))
    assert [(trial.id, trial.exit_status) for trial in trials] == [(1, 0)]
    assert end == "guard-failed"
    assert states(guard) == ["ready", "failed", "restored"]
    assert (board.mode, board.locked) == ("3", False)


def test_a_mode_is_believed_only_by_the_boards_own_tables(board: Board) -> None:
    """Nvpmodel says mode 0, but the GPU's limit is not the step that mode 0 means: refused."""
    put(board, "etc/nvpmodel.conf", CONF)
    put(board, "sys/gpu/steps", "100 500 1000 1300")
    put(board, "sys/gpu/max_freq", "500")
    guard, trials, end = read(sweep(board, (row(1),)))
    assert (trials, end) == ([], "guard-failed")
    [reason] = [said["reason"] for said in guard if "reason" in said]
    assert reason == (
        "power mode 0 did not take: GPU MAX_FREQ is 500, and the board's own tables say 1000"
    )
    assert (board.mode, board.locked) == ("3", False)


def test_the_step_at_or_above_a_modes_limit_is_the_one_that_counts(board: Board) -> None:
    """Mode 0 says 900, the table has 1000 above it: that is what the mode means."""
    put(board, "etc/nvpmodel.conf", CONF)
    put(board, "sys/gpu/steps", "100 500 1000 1300")
    put(board, "sys/gpu/max_freq", "1000")
    assert read(sweep(board, (row(1),)))[2] == "finished"


def test_cores_that_the_mode_puts_off_are_put_off_again(board: Board) -> None:
    """Jetson_clocks of JetPack 3 turns every core on; the mode's own set is what counts."""
    put(board, "etc/nvpmodel.conf", CONF)
    put(board, "sys/devices/system/cpu/cpu1/online", "1")
    assert read(sweep(board, (row(1, mode="SLOW"),)))[2] == "finished"
    assert (board.root / "sys/devices/system/cpu/cpu1/online").read_text() == "0\n"


def test_the_fan_is_put_back(board: Board) -> None:
    """Its speed and its own control are as before."""
    put(board, "sys/devices/pwm-fan/target_pwm", "40")
    put(board, "sys/devices/pwm-fan/temp_control", "1")
    (board.home / "seconds").write_text("1")
    follower = Session(board.link()).start(parcel(board, trials=1), password=None)
    data = drain_until(follower, "trial")
    put(board, "sys/devices/pwm-fan/target_pwm", "255")
    put(board, "sys/devices/pwm-fan/temp_control", "0")
    assert states(read(data + drain(follower))[0]) == ["ready", "restored"]
    fan = board.root / "sys/devices/pwm-fan"
    assert (fan / "target_pwm").read_text() == "40\n"
    assert (fan / "temp_control").read_text() == "1\n"


def test_what_a_guard_left_behind_is_put_back_by_hand(board: Board) -> None:
    """The guard was killed: `restore` does what it could not, and then finds nothing to do."""
    (board.home / "seconds").write_text("1")
    follower = Session(board.link()).start(parcel(board, trials=9), password=None)
    data = drain_until(follower, "trial")
    with pytest.raises(BusyError, match="ann@desk measures there"):
        Session(board.link()).restore(password=None)
    board.kill_guard(SWEEP)
    assert read(data + drain(follower))[2] == "guard-gone"
    assert (board.mode, board.locked) == ("0", True)
    said = Guard.read(EventReader().feed(Session(board.link()).restore(password=None)))
    assert said.restored is True
    assert (board.mode, board.locked) == ("3", False)
    assert Session(board.link()).restore(password=None) == b"@guard state=nothing\n"
    assert not list((board.home / ".jetbench").glob("restore*"))


def test_a_link_that_breaks_while_it_is_put_back_leaves_no_folder(board: Board) -> None:
    """What a reboot has left of such a folder goes with the next, or with the next sweep."""
    slow = board.root / "usr/bin/jetson_clocks"
    whole = slow.read_text()
    follower = Session(board.link()).start(parcel(board, trials=1), password=None)
    (board.home / ".jetbench/restore.rebooted").mkdir()
    drain(follower)
    follower.forget()
    assert not (board.home / ".jetbench").exists()
    put(board, "var/lib/jetbench/mode", "3")
    put(board, "var/lib/jetbench/clocks", "")
    slow.write_text(whole.replace("#!/bin/sh", "#!/bin/sh\nsleep 1", 1))
    (board.home / ".jetbench/restore.rebooted").mkdir(parents=True)
    link = board.link()
    with ThreadPoolExecutor() as pool:
        told = pool.submit(Session(link).restore, password=None)
        wait_for(lambda: len(list((board.home / ".jetbench").glob("*/guard.sh"))) == 1)
        for channel in link.channels:
            channel.close()
        wait_for(lambda: not (board.home / ".jetbench").exists())
        assert told.exception() is not None


def test_warm_ups_are_run_and_told_apart(board: Board) -> None:
    """They have the id 0, and say so."""
    data = sweep(board, (row(0), row(1)))
    assert [(said["id"], said.get("warm_up")) for said in events(data, "trial")] == [
        ("0", "1"),
        ("1", None),
    ]


def test_a_warm_board_is_waited_for(board: Board) -> None:
    """The trial begins when the GPU is as cool as asked for; the journal says how long it took."""
    put(board, f"{GPU_ZONE}/type", "GPU-therm")
    put(board, f"{GPU_ZONE}/temp", "71500")
    follower = Session(board.link()).start(
        parcel(board, trials=1, COOL_MC="60000", COOL_WAIT_S="60"), password=None
    )
    data = drain_until(follower, "cooling")
    assert events(data, "trial") == []
    put(board, f"{GPU_ZONE}/temp", "60000")
    data += drain(follower)
    [trial] = events(data, "trial")
    assert (trial["cool_reached"], trial["gpu_temp_mc"]) == ("1", "60000")
    assert int(trial["cool_waited_s"]) >= 1


def test_a_board_that_never_cools_is_waited_for_once(board: Board) -> None:
    """The first wait ends at its limit, and the trials after it do not wait again."""
    put(board, f"{GPU_ZONE}/type", "GPU-therm")
    put(board, f"{GPU_ZONE}/temp", "71500")
    data = sweep(board, (row(1), row(2)), COOL_MC="60000", COOL_WAIT_S="2")
    first, second = events(data, "trial")
    assert (first["cool_reached"], second["cool_reached"]) == ("0", "0")
    assert int(first["cool_waited_s"]) >= 2
    assert int(second["cool_waited_s"]) <= 1
    assert len(events(data, "cooling")) == 1


@pytest.mark.parametrize("guard", ["1", "0"], ids=["by the guard", "by the runner"])
@pytest.mark.parametrize("tool", [True, False], ids=["tegrastats", "sysfs"])
def test_the_sensors_are_read_while_a_trial_runs(board: Board, guard: str, *, tool: bool) -> None:
    """Each line has its uptime; they stand between the trial's beginning and its end."""
    if tool:
        put(board, "usr/bin/tegrastats", "#!/bin/sh\nwhile :; do echo RAM 1/2MB; sleep 0.2; done")
        (board.root / "usr/bin/tegrastats").chmod(0o755)
    put(board, f"{GPU_ZONE}/type", "GPU-therm")
    put(board, f"{GPU_ZONE}/temp", "40000")
    (board.home / "seconds").write_text("1.3")
    mode = "0" if guard == "1" else "keep"
    data = sweep(board, (row(1, mode=mode),), GUARD=guard, TELEMETRY="1", REST_S="1")
    text = data.decode()
    assert text.index("@rest ") < text.index("\n~ ") < text.index("@trial ")
    within = text[text.index("@trial ") : text.index("@done ")].splitlines()
    lines = [line for line in within if line.startswith("~ ")]
    assert len(lines) >= 2
    [trial] = events(data, "trial")
    for line in lines:
        _, up, words = line.split(" ", 2)
        assert float(up) >= float(trial["up"])
        assert words == "RAM 1/2MB" if tool else words.startswith("sysfs temp_GPU-therm=40000")
    left = ["pgrep", "-f", str(board.root)]
    wait_for(lambda: subprocess.run(left, stdout=-3, check=False).returncode)


def test_nothing_reads_the_sensors_where_nobody_asked_for_it(board: Board) -> None:
    """With --no-telemetry there is no rest and no line of telemetry."""
    data = sweep(board, (row(1),))
    assert events(data, "rest") == []
    assert b"\n~" not in data


def test_a_trial_says_what_it_has_used(board: Board) -> None:
    """CPU time of everything and of the trial itself, and pages swapped, before and after."""
    put(board, "proc/stat", "cpu  100 10 50 99999 7 3 2 1 0 0\ncpu0 1\ncpu1 1\nintr 9")
    put(board, "proc/vmstat", "nr_free_pages 5\npswpin 40\npswpout 2")
    data = sweep(board, (row(1),))
    [trial], [done] = events(data, "trial"), events(data, "done")
    assert (trial["busy_cs"], trial["swap_pages"]) == ("166", "42")
    assert (done["busy_cs"], done["cores"], done["swap_pages"]) == ("166", "2", "42")
    assert 0 <= int(done["own_cs"]) < 100


def test_a_case_is_repeated_until_its_mean_is_known_well_enough(board: Board) -> None:
    """Times without a spread need no more than the least number; the rest is skipped."""
    rows = tuple(row(number, repeat=number) for number in range(1, 8))
    data = sweep(board, rows, PRECISION="0.01", MIN_REPEATS="3")
    assert [said["id"] for said in events(data, "trial")] == ["1", "2", "3"]
    assert [(said["id"], said["reason"]) for said in events(data, "skip")] == [
        (str(number), "precise") for number in range(4, 8)
    ]


def test_a_case_that_is_never_known_well_enough_runs_to_the_end(board: Board) -> None:
    """Its times alternate; the other case, which has one time, is skipped meanwhile."""
    caffe = board.home / "caffe/build/tools/caffe"
    caffe.write_text(
        "#!/bin/sh\nn=$(cat $HOME/n 2>/dev/null || echo 0)\n"
        "case $3 in */1.prototxt) n=0 ;; *) echo $((1 - n)) >$HOME/n ;; esac\n"
        'echo "Average Forward pass: 1.$n ms."\n'
    )
    rows = tuple(
        Row(10 * repeat + case, f"{case}.prototxt", 7, "0", case, repeat)
        for repeat in range(1, 6)
        for case in (0, 1)
    )
    data = sweep(board, rows, PRECISION="0.01", MIN_REPEATS="2")
    ran = [int(said["id"]) % 10 for said in events(data, "trial")]
    assert (ran.count(0), ran.count(1)) == (5, 2)


def test_the_boards_table_of_students_t_is_scipys() -> None:
    """0.975 quantiles for 1 to 30 degrees of freedom, to three decimals."""
    text = script_text("runner.sh").decode()
    table = text[text.index('split("') + 7 : text.index('", t, " ")')]
    found = [float(word) for word in table.replace('" \\\n', " ").replace('"', " ").split()]
    assert found == [round(float(stdtrit(freedom, 0.975)), 3) for freedom in range(1, 31)]
