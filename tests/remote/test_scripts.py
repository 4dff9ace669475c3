"""The scripts that run on a board, run here: start, follow, stop, runner and guard."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jetbench.domain.errors import BoardAnswerError, BusyError, LinkLostError, NotReadyError
from jetbench.remote.session import Session
from tests.remote.sweeping import SWEEP, drain, drain_until, parcel, read, states, wait_for

if TYPE_CHECKING:
    from tests.remote.folder_board import Board


def test_a_sweep_runs_all_trials_and_puts_everything_back(board: Board) -> None:
    """Mode and clocks are set while it measures, as before afterwards, and nothing is left."""
    follower = Session(board.link()).start(parcel(board), password=None)
    first = drain_until(follower, "trial")
    assert (board.mode, board.locked) == ("0", True)
    guard, trials, end = read(first + drain(follower))
    assert [(t.id, t.exit_status, t.problem) for t in trials] == [(1, 0, None), (2, 0, None)]
    assert b"time -model" in (trials[0].log or b"")
    assert b"-iterations 7 -gpu 0 -phase TEST" in (trials[0].log or b"")
    assert end == "finished"
    assert states(guard) == ["ready", "restored"]
    assert (board.mode, board.locked) == ("3", False)
    assert follower.size == follower.offset
    follower.forget()
    assert not (board.home / ".jetbench").exists()
    assert not (board.root / "var/lib/jetbench").exists()


def test_of_two_sweeps_at_once_one_is_told_who_is_there(board: Board) -> None:
    """The lock lets one in; the other hears who, since when, and which sweep."""
    (board.home / "seconds").write_text("2")
    follower = Session(board.link()).start(parcel(board), password=None)
    with pytest.raises(BusyError, match=f"ann@desk .* since 2026.*{SWEEP}"):
        Session(board.link()).start(parcel(board, sweep="other"), password=None)
    assert not (board.home / ".jetbench/sweeps/other").exists()
    facts, _ = Session(board.link()).probe(caffe=None, caffe_root="~/caffe", gpu="none")
    assert facts.held_by is not None
    assert "ann@desk" in facts.held_by
    drain(follower)
    drain(Session(board.link()).start(parcel(board, sweep="other"), password=None))


def test_the_board_is_busy_until_it_is_restored(board: Board) -> None:
    """Whoever gets in next never takes raised clocks for the board's own."""
    slow = board.root / "usr/bin/jetson_clocks"
    slow.write_text(slow.read_text().replace("--restore)", "--restore) sleep 1.5;"))
    follower = Session(board.link()).start(parcel(board, trials=1), password=None)
    drain_until(follower, "end")
    with pytest.raises(BusyError):
        Session(board.link()).start(parcel(board, sweep="other"), password=None)
    assert board.mode == "0"
    drain(follower)
    assert (board.mode, board.locked) == ("3", False)


def test_stop_ends_the_trial_and_restores(board: Board) -> None:
    """The trial that ran is marked as stopped, those after it never start."""
    (board.home / "seconds").write_text("15")
    follower = Session(board.link()).start(parcel(board), password=None)
    data = drain_until(follower, "trial")
    began = time.monotonic()
    Session(board.link()).stop(SWEEP)
    guard, trials, end = read(data + drain(follower))
    assert time.monotonic() - began < 10
    assert [(t.id, t.stopped) for t in trials] == [(1, True)]
    assert end == "stopped"
    assert states(guard)[-1] == "restored"
    assert (board.mode, board.locked) == ("3", False)


def test_a_runner_that_nobody_has_stopped_says_so(board: Board) -> None:
    """Told to end as when the board goes down, all of it at once: no trial has failed by that."""
    (board.home / "seconds").write_text("15")
    follower = Session(board.link()).start(parcel(board), password=None)
    data = drain_until(follower, "trial")
    wait_for((board.home / "caffe.pid").exists)
    os.kill(int((board.home / "caffe.pid").read_text()), signal.SIGTERM)
    time.sleep(0.3)
    os.kill(int((board.home / f".jetbench/sweeps/{SWEEP}/pid").read_text()), signal.SIGTERM)
    guard, trials, end = read(data + drain(follower))
    assert [(t.id, t.stopped, t.settled) for t in trials] == [(1, True, False)]
    assert end == "terminated"
    assert states(guard)[-1] == "restored"


def test_a_killed_runner_leaves_no_process_and_a_restored_board(board: Board) -> None:
    """Kill -9 on the runner: the guard ends the trial that it left, and restores."""
    (board.home / "seconds").write_text("30")
    follower = Session(board.link()).start(parcel(board), password=None)
    data = drain_until(follower, "trial")
    wait_for((board.home / "caffe.pid").exists)
    caffe = int((board.home / "caffe.pid").read_text())
    os.kill(int((board.home / f".jetbench/sweeps/{SWEEP}/pid").read_text()), signal.SIGKILL)
    guard, trials, end = read(data + drain(follower))
    assert (trials[0].problem, end) == ("the journal ends before the trial does", "")
    assert states(guard) == ["ready", "restored"]
    assert (board.mode, board.locked) == ("3", False)
    wait_for(lambda: subprocess.run(["ps", "-p", str(caffe)], stdout=-3, check=False).returncode)


def test_a_guard_whose_runner_is_gone_already_ends(board: Board) -> None:
    """Killed before the guard is there: nobody will ever ask it, and it holds the lock."""
    sudo = board.root / "bin/sudo"
    sudo.write_text(sudo.read_text().replace("#!/bin/sh", "#!/bin/sh\nsleep 1", 1))
    follower = Session(board.link()).start(parcel(board), password=None)
    pid = board.home / f".jetbench/sweeps/{SWEEP}/pid"
    wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"))
    os.kill(int(pid.read_text()), signal.SIGKILL)
    _, trials, end = read(drain(follower))
    assert (trials, end) == ([], "")
    assert (board.mode, board.locked) == ("3", False)
    assert not Session(board.link()).status().left_behind


def test_a_killed_guard_is_made_good_by_the_next_sweep(board: Board) -> None:
    """What a guard had saved is the board's true state, also for the sweep after it."""
    (board.home / "seconds").write_text("1")
    follower = Session(board.link()).start(parcel(board, trials=9), password=None)
    data = drain_until(follower, "trial")
    board.kill_guard(SWEEP)
    _, _, end = read(data + drain(follower))
    assert end == "guard-gone"
    assert (board.mode, board.locked) == ("0", True)
    facts, _ = Session(board.link()).probe(caffe=None, caffe_root="~/caffe", gpu="none")
    assert facts.left_behind
    follower = Session(board.link()).start(parcel(board, sweep="next", trials=1), password=None)
    guard, _, _ = read(drain(follower))
    assert states(guard) == ["recovered", "ready", "restored"]
    assert (board.mode, board.locked) == ("3", False)


def test_a_mode_that_does_not_take_is_refused(board: Board) -> None:
    """Nvpmodel exits 0 and changes nothing: no trial runs, and the tool's words are told."""
    (board.root / "etc/stuck").touch()
    guard, trials, end = read(drain(Session(board.link()).start(parcel(board), password=None)))
    assert (trials, end) == ([], "guard-failed")
    reasons = [said["reason"] for said in guard if "reason" in said]
    assert reasons == ["power mode is 3, not 0; nvpmodel said: NVPM ERROR: no"]
    assert (board.mode, board.locked) == ("3", False)


def test_the_sudo_password_is_used_and_written_nowhere(board: Board) -> None:
    """It travels on standard input only; no file of the sweep holds it."""
    (board.root / "etc/password").write_text("s3cret'$x\n")
    follower = Session(board.link()).start(
        parcel(board, trials=1, SUDO="password"), password="s3cret'$x"
    )
    data = drain(follower)
    assert states(read(data)[0]) == ["ready", "restored"]
    files = [path for path in board.home.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if b"s3cret" in path.read_bytes()]


def test_a_wrong_sudo_password_ends_it_with_sudos_words(board: Board) -> None:
    """No trial runs; the journal holds what sudo said."""
    (board.root / "etc/password").write_text("right\n")
    follower = Session(board.link()).start(parcel(board, SUDO="password"), password="wrong")
    data = drain(follower)
    _, trials, end = read(data)
    assert (trials, end) == ([], "guard-failed")
    assert b"sudo: a password is required" in data


def test_keep_needs_no_root(board: Board) -> None:
    """Without a guard nothing is asked of sudo, and mode and clocks stay as they are."""
    (board.root / "bin/sudo").unlink()
    guard, trials, end = read(
        drain(Session(board.link()).start(parcel(board, GUARD="0"), password=None))
    )
    assert (guard, end, len(trials)) == ([], "finished", 2)
    assert board.mode == "3"


def test_a_trial_that_hangs_is_ended_on_the_board(board: Board) -> None:
    """The limit holds there, with nobody watching; the next trial runs."""
    (board.home / "seconds").write_text("60")
    follower = Session(board.link()).start(parcel(board, TIMEOUT_S="1"), password=None)
    _, trials, end = read(drain(follower))
    assert [(t.exit_status, t.limit_s) for t in trials] == [(124, 1.0), (124, 1.0)]
    assert end == "finished"


def test_a_board_on_which_nothing_ends_is_given_up(board: Board) -> None:
    """After three trials in a row that had to be ended, the others would take days."""
    (board.home / "seconds").write_text("30")
    follower = Session(board.link()).start(parcel(board, trials=5, TIMEOUT_S="1"), password=None)
    guard, trials, end = read(drain(follower))
    assert [(trial.id, trial.exit_status) for trial in trials] == [(1, 124), (2, 124), (3, 124)]
    assert end == "hangs"
    assert states(guard)[-1] == "restored"


def test_the_deadline_of_the_sweep_ends_it(board: Board) -> None:
    """The board counts it down by itself."""
    (board.home / "seconds").write_text("1.5")
    follower = Session(board.link()).start(parcel(board, trials=9, DEADLINE_S="2"), password=None)
    _, trials, end = read(drain(follower))
    assert end == "deadline"
    assert 1 <= len(trials) <= 3


def test_stop_ends_a_trial_that_hangs(board: Board) -> None:
    """Caffe does not listen to SIGTERM: it is killed a few seconds later, all of it."""
    caffe = board.home / "caffe/build/tools/caffe"
    caffe.write_text(
        "#!/bin/sh\ntrap '' TERM INT HUP\nsleep 600 &\n"
        'echo $$ $! >"$HOME/pids.new"; mv "$HOME/pids.new" "$HOME/pids"; wait; wait\n'
    )
    follower = Session(board.link()).start(parcel(board), password=None)
    data = drain_until(follower, "trial")
    wait_for((board.home / "pids").exists)
    Session(board.link()).stop(SWEEP)
    guard, trials, end = read(data + drain(follower))
    assert [(trial.id, trial.exit_status, trial.stopped) for trial in trials] == [(1, 137, True)]
    assert end == "stopped"
    assert states(guard)[-1] == "restored"
    pids = (board.home / "pids").read_text().split()
    wait_for(lambda: not any(Path("/proc", pid).exists() for pid in pids))


def test_what_a_trial_leaves_running_does_not_disturb_the_next(board: Board) -> None:
    """A script in Caffe's place that leaves something behind, or a `timeout` that is killed."""
    caffe = board.home / "caffe/build/tools/caffe"
    caffe.write_text(
        '#!/bin/sh\nfor pid in $(cat "$HOME/strays"); do\n'
        'grep -q sleep "/proc/$pid/cmdline" && echo "alive $pid"\ndone\n'
        'sleep 600 & echo $! >>"$HOME/strays"\n'
        'if [ "$(wc -l <"$HOME/strays")" = 2 ]; then kill -KILL "$PPID"; sleep 600; fi\nexit 0\n'
    )
    follower = Session(board.link()).start(parcel(board, trials=3), password=None)
    _, trials, end = read(drain(follower))
    assert [trial.exit_status for trial in trials] == [0, 137, 0]
    assert not [trial.id for trial in trials if b"alive" in (trial.log or b"")]
    assert end == "finished"


def test_a_log_without_end_is_cut(board: Board) -> None:
    """Caffe may not fill the board's disk: the shell's file limit ends it."""
    caffe = board.home / "caffe/build/tools/caffe"
    caffe.write_text("#!/bin/sh\nyes 'an endless log' >&2\n")
    follower = Session(board.link()).start(
        parcel(board, trials=1, LOG_BLOCKS="100"), password=None
    )
    _, [trial], _ = read(drain(follower))
    assert trial.exit_status not in {0, None}
    assert len(trial.log or b"") <= 100 * 512


def test_a_folder_that_somebody_prepared_is_refused(board: Board, tmp_path: Path) -> None:
    """A link where our folder should be is not followed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (board.home / ".jetbench").symlink_to(elsewhere)
    with pytest.raises(NotReadyError, match="not a folder of"):
        Session(board.link()).start(parcel(board), password=None)
    assert not list(elsewhere.iterdir())


def test_files_are_private(board: Board) -> None:
    """Folders 0700 and files 0600, as long as they are there."""
    follower = Session(board.link()).start(parcel(board, trials=1), password=None)
    drain(follower)
    for path in [board.home / ".jetbench", *(board.home / ".jetbench").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    follower.forget()


def test_the_environment_reaches_caffe_as_it_is(board: Board) -> None:
    """Quotes, blanks, line ends and command substitutions are a value and nothing else."""
    caffe = board.home / "caffe/build/tools/caffe"
    caffe.write_text('#!/bin/sh\nprintf "[%s]" "$ODD" >&2\n')
    follower = Session(board.link()).start(parcel(board, trials=1), password=None)
    _, [trial], _ = read(drain(follower))
    assert trial.log == b"[it's; $(touch nowhere) `x`\n]"
    assert not list(board.root.rglob("nowhere"))


def test_the_probe_tells_what_is_there(board: Board) -> None:
    """Caffe, sudo, the mode, the clocks, and the files that were asked for."""
    (board.home / "caffe/net.prototxt").write_bytes(b"name: 'n'\r\n")
    facts, answer = Session(board.link()).probe(
        caffe=None, caffe_root="~/caffe", gpu="none", paths=["net.prototxt", "no such"]
    )
    assert facts.caffe is not None
    assert (facts.caffe.version, facts.caffe.has_phase) == ("1.0.0", True)
    assert (facts.sudo, facts.clocks_locked, facts.held_by) == ("nopasswd", None, None)
    assert facts.power_mode is not None
    assert facts.power_mode.id == 3
    assert facts.files[0].content == b"name: 'n'\r\n"
    assert "no such" in (facts.files[1].error or "")
    assert abs(facts.clock_skew_s or 0) < 10
    assert b"utc_s=" in answer


def test_a_caffe_that_is_not_there_is_told_with_those_that_are(board: Board) -> None:
    """The path that was said, and where there is one."""
    facts, _ = Session(board.link()).probe(caffe="/opt/none/caffe", caffe_root=None, gpu="0")
    assert facts.caffe is None
    assert (facts.caffe_wanted or "").endswith("/opt/none/caffe")
    assert facts.caffe_found == (str(board.home / "caffe/build/tools/caffe"),)


def test_noise_of_the_login_shell_is_not_an_answer(board: Board) -> None:
    """A banner before the answer is skipped, however it looks."""
    link = board.link()
    quiet = link.open_exec
    link.open_exec = lambda command, *, timeout_s: quiet(  # type: ignore[method-assign]
        f"printf '#0123 begin\\nutc_s=1\\n#'; {command}", timeout_s=timeout_s
    )
    facts, _ = Session(link).probe(caffe=None, caffe_root=None, gpu="none")
    assert facts.utc_s != 1


@pytest.mark.parametrize(
    ("instead", "error"),
    [
        ("exit 0", BoardAnswerError),
        ("echo 'This account is not available'; exit 1", BoardAnswerError),
        ("yes", BoardAnswerError),
        ("sleep 30", LinkLostError),
    ],
)
def test_a_board_that_answers_rubbish_is_told_so(
    board: Board, instead: str, error: type[Exception]
) -> None:
    """Nothing, something else, something without end, or silence: each is an error."""
    link = board.link()
    quiet = link.open_exec
    link.open_exec = lambda _, *, timeout_s: quiet(instead, timeout_s=timeout_s)  # type: ignore[assignment,method-assign]
    with pytest.raises(error):
        Session(link).probe(caffe=None, caffe_root=None, gpu="none", timeout_s=2)
