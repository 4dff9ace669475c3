"""Commands on a virtual board, through paramiko's client and OpenSSH's."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import paramiko
import pytest

from tests.virtual.helpers import CAFFE, at_batch_1, connected, forward_ms, opened, run

if TYPE_CHECKING:
    from pathlib import Path

    from jetbench.virtual.fleet import VirtualFleet


def openssh(fleet: VirtualFleet, command: str, stdin: bytes = b"") -> tuple[int, bytes]:
    """Run a command on the first board with the system's ssh; its status and output."""
    if shutil.which("ssh") is None:
        pytest.skip("needs the OpenSSH client")
    done = subprocess.run(
        [
            *("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", f"UserKnownHostsFile={fleet.known_hosts}", "-i", str(fleet.key)),
            *("-p", str(fleet.boards[0].port), "nvidia@127.0.0.1", command),
        ],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_command_has_its_streams_and_its_status(client: paramiko.SSHClient) -> None:
    """Standard output, standard error and the exit status arrive, each by itself."""
    answer = run(client, "cat; echo bad >&2; exit 7", b"good\n")
    assert (answer.status, answer.out, answer.err) == (7, "good\n", "bad\n")


def test_a_session_is_that_of_the_board(fleet: VirtualFleet, client: paramiko.SSHClient) -> None:
    """Home, root and search path are the board's, and it is the leader of its own session."""
    root = fleet.boards[0].root
    answer = run(client, "echo $HOME $JETBENCH_ROOT $USER; command -v nvpmodel; pwd")
    home = f"{root}/home/nvidia"
    assert answer.out.splitlines() == [f"{home} {root} nvidia", f"{root}/usr/sbin/nvpmodel", home]


def test_a_shell_without_a_command_reads_a_script(client: paramiko.SSHClient) -> None:
    """`ssh board` with a script on standard input runs it, as sshd does."""
    channel = opened(client)
    channel.invoke_shell()
    channel.sendall(b"echo $((6 * 7))\n")
    channel.shutdown_write()
    assert channel.makefile("rb").read() == b"42\n"


def test_a_command_that_a_signal_ends_says_which(client: paramiko.SSHClient) -> None:
    """The status is 128 and the signal, as a shell gives it."""
    assert run(client, "kill -9 $$").status == 137


def test_large_binary_streams_pass_whole(client: paramiko.SSHClient) -> None:
    """More than any window, in both directions at once, with bytes that are no text."""
    data = bytes(range(256)) * 32768
    channel = opened(client)
    channel.exec_command("cat")

    def write() -> None:
        channel.sendall(data)
        channel.shutdown_write()

    writer = threading.Thread(target=write)
    writer.start()
    received = channel.makefile("rb").read()
    writer.join()
    assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest()


def test_a_client_that_does_not_read_stops_the_command(client: paramiko.SSHClient) -> None:
    """Flow control reaches the process: it waits, and nothing is kept for it in memory."""
    channel = opened(client, window_bytes=65536)
    channel.exec_command("head -c 4000000 /dev/zero; echo done >&2")
    assert channel.recv(1) == b"\0"
    assert not channel.recv_stderr_ready()
    rest = channel.makefile("rb").read()
    assert len(rest) == 3_999_999
    assert channel.makefile_stderr("rb").read() == b"done\n"


def test_input_that_nobody_reads_does_not_block(client: paramiko.SSHClient) -> None:
    """A command that has closed its input takes nothing more, and the client can go on."""
    channel = opened(client)
    channel.exec_command("exec </dev/null; until [ -e sent ]; do sleep 0.05; done; exit 3")
    channel.sendall(bytes(5_000_000))
    run(client, "touch sent")
    assert channel.recv_exit_status() == 3


def test_several_channels_run_at_once(client: paramiko.SSHClient) -> None:
    """Eight commands of one connection, each waiting for the others' file."""
    channels = [opened(client) for _ in range(8)]
    for number, channel in enumerate(channels):
        others = f"until [ $(ls m_* | wc -l) = 8 ]; do sleep 0.05; done; echo {number}"
        channel.exec_command(f"touch m_{number}; {others}")
    assert [int(channel.makefile("rb").read()) for channel in channels] == list(range(8))


def test_short_commands_never_lose_their_answer(client: paramiko.SSHClient) -> None:
    """However fast a command is, the client first hears that it may run."""
    assert [run(client, f"exit {number}").status for number in range(40)] == list(range(40))


def test_a_background_process_that_lets_go_outlives_the_channel(
    client: paramiko.SSHClient, tmp_path: Path
) -> None:
    """What is started detached goes on, and does not hold the channel open."""
    mark = tmp_path / "alive"
    script = f"read -r _ <go; echo yes >{mark}"
    start = f"mkfifo go; setsid sh -c '{script}' </dev/null >/dev/null 2>&1 &"
    assert run(client, start).status == 0
    run(client, f"echo now >go; until [ -s {mark} ]; do sleep 0.05; done")
    assert mark.read_text() == "yes\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the status is early on Linux only")
def test_the_status_comes_before_the_end_of_a_held_channel(client: paramiko.SSHClient) -> None:
    """As under sshd, a background process that keeps the output open keeps the channel open."""
    channel = opened(client)
    channel.exec_command("mkfifo held; { read -r _ <held; echo late; } & exit 5")
    assert channel.recv_exit_status() == 5
    assert not channel.closed
    run(client, "echo go >held")
    assert channel.makefile("rb").read() == b"late\n"


def test_only_the_key_of_the_fleet_is_let_in(fleet: VirtualFleet) -> None:
    """Another key, another user, or no key at all: no entrance."""
    right = paramiko.Ed25519Key(filename=str(fleet.key))
    wrong = paramiko.ECDSAKey.generate()
    for user, key in (("nvidia", wrong), ("root", right)):
        with closing(paramiko.Transport(("127.0.0.1", fleet.boards[0].port))) as transport:
            transport.start_client(timeout=20)
            with pytest.raises(paramiko.BadAuthenticationType):
                transport.auth_none(user)
            with pytest.raises(paramiko.AuthenticationException):
                transport.auth_publickey(user, key)


def test_caffe_runs_over_ssh(client: paramiko.SSHClient, tmp_path: Path) -> None:
    """The board times a net it is given, with its log on standard error."""
    model = at_batch_1("bvlc_alexnet", tmp_path)
    answer = run(client, f"{CAFFE} time -model {model} -gpu 0 -phase TEST -iterations 4")
    assert answer.status == 0
    assert forward_ms(answer.err) > 5
    assert "SIMULATED" in answer.err.splitlines()[0]


def test_openssh_talks_to_a_board(fleet: VirtualFleet) -> None:
    """The ssh of the system connects with the enrolled key; streams and status are right."""
    assert openssh(fleet, "nvpmodel -q")[1].startswith(b"NV Power Mode: ")
    assert openssh(fleet, "sudo -n true")[0] == 0
    data = bytes(range(256)) * 8192
    assert openssh(fleet, "cat; exit 9", data) == (9, data)
    assert openssh(fleet, "kill -15 $$")[0] == 143


def test_openssh_measures(fleet: VirtualFleet, tmp_path: Path) -> None:
    """A `caffe time` typed by hand works."""
    model = at_batch_1("resnet50", tmp_path)
    command = f"{CAFFE} time --model={model} --gpu=0 -phase TEST -iterations 2 2>&1"
    status, log = openssh(fleet, command)
    assert status == 0
    assert forward_ms(log.decode()) > 20


def test_two_boards_are_two_machines(fleet: VirtualFleet) -> None:
    """A file on one is not on the other, and each tells another release."""
    first, second = fleet.boards
    with connected(fleet, first) as one, connected(fleet, second) as two:
        run(one, "echo here >mine")
        assert run(two, "cat mine").status != 0
        release = 'head -c 5 "$JETBENCH_ROOT/etc/nv_tegra_release"'
        assert (run(one, release).out, run(two, release).out) == ("# R28", "# R32")
