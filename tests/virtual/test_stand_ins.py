"""The stand-ins for NVIDIA's tools and for sudo, called as on a board."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jetbench.formats.tegra import (
    parse_clocks_locked,
    parse_l4t_release,
    parse_nvpmodel_conf,
    parse_nvpmodel_query,
)
from jetbench.virtual.jetpacks import HOME
from jetbench.virtual.options import BoardOptions, Faults
from tests.virtual.helpers import CAFFE, FAST, Root

if TYPE_CHECKING:
    from jetbench.virtual.options import Release

BIN = Path(__file__).resolve().parents[2] / "jetbench/virtual/bin"
TABLES = {
    "r27": {1: 930750000, 2: 1134750000, 3: 1134750000, 4: 1134750000, 0: 1300500000},
    "r28": {1: 930750000, 2: 1134750000, 3: 1134750000, 4: 1134750000, 0: 1300500000},
    "r32": {1: 854250000, 2: 1122000000, 3: 1122000000, 4: 1122000000, 0: 1300500000},
}
CLOCKS = {
    "r27": '"$JETBENCH_ROOT"/home/ubuntu/jetson_clocks.sh',
    "r28": '"$HOME"/jetson_clocks.sh',
    "r32": '"$JETBENCH_ROOT"/usr/bin/jetson_clocks',
}
TEGRASTATS = {
    "r27": '"$JETBENCH_ROOT"/home/ubuntu/tegrastats',
    "r28": "./tegrastats",
    "r32": "tegrastats",
}
FAN = "sys/devices/pwm-fan"
GPU = "sys/devices/17000000.gp10b/devfreq/17000000.gp10b"


@pytest.fixture(params=["r27", "r28", "r32"])
def release(request: pytest.FixtureRequest) -> Release:
    """All releases, one after the other."""
    chosen: Release = request.param
    return chosen


@pytest.fixture
def root(tmp_path: Path, release: Release) -> Root:
    """A board in good health; its folder has a blank in its name."""
    return Root(tmp_path / "a board", replace(FAST, release=release))


def faulty(tmp_path: Path, faults: Faults) -> Root:
    """A board of the first release with something wrong."""
    return Root(tmp_path / "board", BoardOptions(faults=faults))


def test_every_mode_can_be_set_and_read_back(root: Root, release: Release) -> None:
    """Name and id are those of the file; the GPU's clock is the next step of the table."""
    modes = parse_nvpmodel_conf(root.read("etc/nvpmodel.conf"))
    assert [mode.name for mode in modes][:2] == ["MAXN", "MAXQ"]
    for mode in (*modes[1:], modes[0]):
        assert root.run(f"sudo -n nvpmodel -m {mode.id}").out == ""
        assert parse_nvpmodel_query(root.run("nvpmodel -q").out) == mode
        assert parse_nvpmodel_query(root.run("nvpmodel -q --verbose").out) == mode
        assert int(root.read(f"{GPU}/max_freq")) == TABLES[release][mode.id]


def test_a_new_board_is_in_its_default_mode(root: Root) -> None:
    """Mode 3, with the two Denver cores off and nothing locked."""
    assert root.run("nvpmodel -q").out == "NV Power Mode: MAXP_CORE_ARM\n3\n"
    show = root.run(f"sudo {CLOCKS[root_release(root)]} --show").out
    assert "Online CPUs: 0,3-5" in show
    assert parse_clocks_locked(show) is False


def root_release(root: Root) -> str:
    """The release of a board, by its own word."""
    return root.read("etc/nv_tegra_release")[2:5].lower()


def test_a_mode_that_does_not_exist_is_an_error_with_status_0(root: Root) -> None:
    """The tool complains and exits 0; the mode stays."""
    answer = root.run("sudo nvpmodel -m 9")
    assert (answer.status, answer.out) == (0, "NVPM ERROR: request for bad power mode 9\n")
    assert root.run("sudo nvpmodel -m 1x").out.startswith("NVPM ERROR")
    assert root.run("nvpmodel -q").out.endswith("\n3\n")


def test_only_root_sets_a_mode(root: Root) -> None:
    """Without sudo it is refused with errno 13."""
    answer = root.run("nvpmodel -m 0")
    assert answer.status == 1
    assert re.search(r"NVPM ERROR: Error opening \S+: 13\n", answer.out)


def test_nvpmodel_can_fail_in_silence(tmp_path: Path) -> None:
    """It exits 0, and only reading back shows that nothing has changed."""
    root = faulty(tmp_path, Faults(nvpmodel_fails_silently=True))
    answer = root.run("sudo nvpmodel -m 0")
    assert answer.status == 0
    assert "NVPM ERROR" in answer.out
    assert root.run("nvpmodel -q").out.endswith("\n3\n")


def test_locked_clocks_show_as_locked_and_come_back(root: Root, release: Release) -> None:
    """Store, lock, restore: the state afterwards is that before, to the last byte."""
    clocks = CLOCKS[release]
    before = root.run(f"sudo {clocks} --show").out
    assert root.run(f"sudo {clocks} --store saved; sudo {clocks}").out == ""
    locked = root.run(f"sudo {clocks} --show").out
    assert parse_clocks_locked(locked) is True
    assert re.search(r"EMC MinFreq=40800000 MaxFreq=(\d+) CurrentFreq=\1 FreqOverride=1", locked)
    assert root.run(f"sudo {clocks} --restore saved").out == ""
    assert root.run(f"sudo {clocks} --show").out == before


def test_each_release_spells_in_its_own_way(root: Root, release: Release) -> None:
    """R28 prints `Gonvernor=` and no state; R32 `Online=`, idle states and the mode."""
    show = root.run(f"sudo {CLOCKS[release]} --show").out
    assert ("Gonvernor=" in show) == (release != "r32")
    assert ("Online=0 Governor=" in show) == (release == "r32")
    assert ("NV Power Mode: MAXP_CORE_ARM" in show) == (release == "r32")


def test_store_asks_before_it_overwrites(root: Root, release: Release) -> None:
    """Without an answer, or with another than Y, it fails and the file stays."""
    store = f"sudo {CLOCKS[release]} --store saved"
    assert root.run(store).status == 0
    question = "already exists. Can I overwrite it? Y/N:"
    for answer, status in (("", 1), ("n\n", 1), ("Y\n", 0)):
        asked = root.run(store, answer)
        assert question in asked.out
        assert asked.status == status


def test_the_question_can_come_for_every_file(tmp_path: Path, release: Release) -> None:
    """Also for one that is not there; only a yes writes it. The user's own file stays."""
    faults = Faults(asks_to_overwrite=True)
    root = Root(tmp_path / "board", replace(FAST, release=release, faults=faults))
    own = root.read(f"{HOME}/l4t_dfs.conf")
    for answer, status in (("", 1), ("y\n", 0)):
        asked = root.run(f"sudo {CLOCKS[release]} --store saved", answer)
        assert asked.out.startswith("File saved already exists. Can I overwrite it? Y/N:\n")
        assert ("Error: file saved already exists!" in asked.out) == (status == 1)
        assert asked.status == status
        assert (root.path / HOME / "saved").exists() == (status == 0)
    assert root.read(f"{HOME}/l4t_dfs.conf") == own


def test_the_fan_is_kept_as_each_release_keeps_it(root: Root, release: Release) -> None:
    """Locked, it runs at full speed; only R32 also takes over its control, and gives it back."""
    (root.path / FAN / "target_pwm").write_text("80\n")
    clocks = CLOCKS[release]
    root.run(f"sudo {clocks} --store saved; sudo {clocks}")
    locked = (root.read(f"{FAN}/target_pwm"), root.read(f"{FAN}/temp_control"))
    assert locked == ("255\n", "0\n" if release == "r32" else "1\n")
    root.run(f"sudo {clocks} --restore saved")
    assert root.read(f"{FAN}/target_pwm") == "80\n"
    assert root.read(f"{FAN}/temp_control") == "1\n"
    assert ("temp_control" in root.read(f"{HOME}/saved")) == (release == "r32")


def test_jetpack_3_switches_every_core_on(root: Root, release: Release) -> None:
    """To lock the clocks, whatever the power mode says; restoring switches them off again."""
    clocks = CLOCKS[release]
    root.run(f"sudo {clocks} --store saved; sudo {clocks}")
    core = "sys/devices/system/cpu/cpu1/online"
    assert root.read(core) == ("0\n" if release == "r32" else "1\n")
    root.run(f"sudo {clocks} --restore saved")
    assert root.read(core) == "0\n"


def test_r27_waits_for_the_boot_to_settle(tmp_path: Path, release: Release) -> None:
    """In the first 90 seconds its jetson_clocks.sh does nothing at all, and says so."""
    options = replace(FAST, release=release, booted_s_ago=10)
    root = Root(tmp_path / "board", options)
    for action in ("--show", "--store saved", ""):
        answer = root.run(f"sudo {CLOCKS[release]} {action}")
        refused = re.match(r"Error: Please run the script after (\d+) Seconds, \n", answer.out)
        assert bool(refused) is (release == "r27")
        if refused:
            assert 1 <= int(refused[1]) <= 80
            assert answer.status == 255
    assert (root.read(f"{GPU}/min_freq") == "114750000\n") is (release == "r27")
    late = Root(tmp_path / "board", replace(options, booted_s_ago=90))
    assert late.run(f"sudo {CLOCKS[release]}").out == ""


def test_a_mode_can_need_a_reboot(tmp_path: Path) -> None:
    """The tool asks, and changes nothing; only a yes reboots. The mode that is set needs none."""
    root = faulty(tmp_path, Faults(mode_needs_reboot=True))
    asked = root.run("sudo nvpmodel -m 0 </dev/null")
    assert asked.status == 0
    assert "DO YOU WANT TO REBOOT NOW? enter YES/yes to confirm:\n" in asked.out
    assert asked.out.endswith("NVPM ERROR: bad input!\n")
    assert root.run("sudo nvpmodel -m 0", "no\n").out.endswith("NVPM ERROR: bad input!\n")
    assert not (root.path / "run/rebooted").exists()
    assert root.run("nvpmodel -q").out.endswith("\n3\n")
    assert root.run("sudo nvpmodel -m 3 </dev/null").out == ""
    assert "bad input" not in root.run("sudo nvpmodel -m 0", "yes\n").out
    assert (root.path / "run/rebooted").exists()
    assert root.run("nvpmodel -q").out.endswith("\n3\n")


def test_restore_needs_its_file(root: Root, release: Release) -> None:
    """A file that is not there is an error, and status 1."""
    answer = root.run(f"sudo {CLOCKS[release]} --restore nothing")
    assert (answer.status, answer.out) == (1, "Error: nothing file not found !\n")


def test_jetson_clocks_wants_root(root: Root, release: Release) -> None:
    """Without it, the message names the script, and the status is 1."""
    answer = root.run(CLOCKS[release] + " --show")
    assert answer.status == 1
    assert answer.out.startswith("Error: Run this script(")


def test_clocks_can_refuse_to_lock(tmp_path: Path) -> None:
    """It complains and exits 0; only the clocks themselves tell."""
    root = faulty(tmp_path, Faults(clocks_will_not_lock=True))
    answer = root.run("sudo ./jetson_clocks.sh")
    assert (answer.status, answer.out) == (0, "Error: Failed to max GPU frequency!\n")
    assert parse_clocks_locked(root.run("sudo ./jetson_clocks.sh --show").out) is False


def test_sudo_without_a_password(root: Root) -> None:
    """It runs the command as what the stand-ins take for root, with a clean environment."""
    answer = root.run("SECRET=1 sudo -n VALUE=2 sh -c 'echo $JETBENCH_VIRTUAL_UID $VALUE $SECRET'")
    assert answer.out == "0 2\n"
    assert root.run("sudo -n -- true").status == 0
    assert root.run("sudo -n -v; sudo -k").status == 0
    assert root.run("sudo -n sh -c 'exit 5'").status == 5


def test_sudo_closes_all_but_three_descriptors(root: Root) -> None:
    """A descriptor that the caller has open does not reach the command."""
    assert root.run("exec 9>&1; sudo sh -c 'echo held >&9' 2>&-").out == ""
    assert root.run("exec 9>&1; sudo sh -c 'echo given' >&9").out == "given\n"


def test_sudo_with_a_password(tmp_path: Path) -> None:
    """The right line on standard input opens, a wrong one says so, none is an error."""
    root = faulty(tmp_path, Faults(password=True))
    refused = root.run("sudo -n true")
    assert (refused.status, refused.err) == (1, "sudo: a password is required\n")
    assert root.run("sudo -S -p '' sh -c 'cat'", "nvidia\nrest\n").out == "rest\n"
    wrong = root.run("sudo -S -p 'word: ' true", "guess\n")
    assert wrong.status == 1
    assert wrong.err.splitlines()[-1].endswith("sudo: 1 incorrect password attempt")
    assert wrong.err.startswith("word: Sorry, try again.\n")
    assert root.run("sudo -S -p '' echo in", "guess\nnvidia\n").out == "in\n"
    assert "sudo: 3 incorrect" in root.run("sudo -S true", "a\nb\nc\nnvidia\n").err
    assert root.run("sudo -S true").status == 1
    assert root.run("sudo true").err.startswith("sudo: no tty present")


def test_sudo_for_somebody_who_may_not(tmp_path: Path) -> None:
    """The password does not help, and the host's own sudo is out of reach."""
    root = faulty(tmp_path, Faults(no_sudo=True))
    answer = root.run("sudo -S -p '' true", "nvidia\n")
    assert answer.status == 1
    assert "is not in the sudoers file" in answer.err
    assert root.run("sudo -n true").status == 1


def test_tegrastats_prints_as_its_release_does(root: Root, release: Release) -> None:
    """A line an interval; without root JetPack 3 has no GR3D, R32 no frequency."""
    command = f"timeout 0.6 {TEGRASTATS[release]} --interval 200"
    lines = root.run(command).out.splitlines()
    assert 2 <= len(lines) <= 4
    assert re.match(r"RAM \d+/7851MB \(lfb \d+x4MB\)", lines[0])
    assert "[0%@345,off,off,0%@345,0%@345,0%@345]" in lines[0]
    rails = {
        "r27": " cpu [",
        "r28": "VDD_IN 3390/3390 VDD_CPU 610/610",
        "r32": "VDD_SYS_GPU 152/152",
    }
    assert rails[release] in lines[0]
    assert ("GR3D_FREQ 0% " in lines[0]) == (release == "r32")
    assert ("thermal@39.5C" in lines[0]) == (release != "r27")
    as_root = root.run(f"sudo {command}").out
    engines = (
        "EMC 0%@1062 GR3D 0%@114 GR3D_PCI" if release == "r27" else "GR3D_FREQ 0%@114 APE 150"
    )
    assert engines in as_root


@pytest.mark.parametrize("release", ["r28", "r32"])
def test_tegrastats_follows_the_files(root: Root, release: Release) -> None:
    """Temperatures to the thousandth of a degree, load, power now and on average."""
    for file, value in (
        ("sys/devices/virtual/thermal/thermal_zone2/temp", 41250),
        ("sys/devices/virtual/thermal/thermal_zone3/temp", 40005),
        ("sys/devices/17000000.gp10b/load", 512),
        (f"{GPU}/cur_freq", 1032750000),
    ):
        (root.path / file).write_text(f"{value}\n")
    power = root.path / "sys/bus/i2c/drivers/ina3221x/0-0041/iio:device1/in_power0_input"
    script = f"sudo timeout 20 {TEGRASTATS[release]} --interval 50 | while read -r line; do "
    script += f"echo \"$line\"; echo 5390 >'{power}'; case $line in *5390/*) break; esac; done"
    lines = root.run(script).out.splitlines()
    assert "GPU@41.25C" in lines[0]
    assert "PLL@40.005C" in lines[0]
    assert "GR3D_FREQ 51%@1032" in lines[0]
    assert "VDD_IN 3390/3390" in lines[0]
    now, mean = re.findall(r"VDD_IN (\d+)/(\d+)", lines[-1])[0]
    assert now == "5390"
    assert 3390 < int(mean) < 5390


def test_tegrastats_can_write_to_a_file(root: Root, release: Release) -> None:
    """With --logfile nothing comes out; what it cannot read is answered with its usage."""
    program = TEGRASTATS[release]
    answer = root.run(f"timeout 0.3 {program} --interval 100 --logfile log; head -n 1 log")
    assert answer.out.startswith("RAM ")
    assert answer.out.count("\n") == 1
    for wrong in ("--interval soon", "--verbose"):
        refused = root.run(f"{program} {wrong}")
        assert refused.status == 1
        assert refused.out.startswith("Usage: tegrastats")


def test_the_files_say_what_the_board_is(root: Root, release: Release) -> None:
    """Release, CUDA and cuDNN are those of one JetPack."""
    l4t, cudnn = {
        "r27": ("27.1.0", "5 1 10"),
        "r28": ("28.2.1", "7 1 5"),
        "r32": ("32.3.1", "7 6 3"),
    }[release]
    assert parse_l4t_release(root.read("etc/nv_tegra_release")) == l4t
    header = root.read("usr/include/cudnn.h")
    assert " ".join(re.findall(r"#define CUDNN_[A-Z]+ (\d+)", header)) == cudnn
    assert root.read("proc/device-tree/model") == "quill\0"
    assert "tegra186" in root.read("proc/device-tree/compatible")


def test_the_packages_are_the_boards(root: Root, release: Release) -> None:
    """dpkg-query knows the board's, and none of this machine's."""
    query = "dpkg-query -W -f='${Package} ${Version};' nvidia-l4t-core 'libcudnn[0-9]' dpkg bash"
    answer = root.run(query)
    expected = "libcudnn7 7.6.3.28-1+cuda10.0;nvidia-l4t-core 32.3.1-20191209080000;"
    if release == "r27":
        expected = "libcudnn5 5.1.10-1+cuda8.0;"
    elif release == "r28":
        expected = "libcudnn7 7.1.5.14-1+cuda9.0;"
    assert "".join(sorted(answer.out.split(";"))) == "".join(sorted(expected.split(";")))


def test_the_name_is_the_boards(root: Root) -> None:
    """Neither name nor kernel is this machine's."""
    assert root.run("uname -n; uname -sr").out == "a board\nLinux 4.4.38-tegra\n"
    assert root.run("uname -m").status == 0


def test_caffe_answers_quick_questions(root: Root) -> None:
    """Version, help with the `-phase` flag, and the device."""
    assert root.run(f"{CAFFE} --version").out == "caffe version 1.0.0\n"
    assert "-phase " in root.run(f"{CAFFE} --help").err
    assert "Device id:  " in root.run(f"{CAFFE} device_query -gpu 0").err


def test_a_board_without_caffe_has_none(tmp_path: Path) -> None:
    """Also where it had one before."""
    Root(tmp_path / "board", FAST)
    root = faulty(tmp_path, Faults(no_caffe=True))
    assert root.run(f"{CAFFE} --version").status == 127


def test_building_again_keeps_the_state(tmp_path: Path) -> None:
    """Mode and clocks are as they were, and the tools still work."""
    first = Root(tmp_path / "board", FAST)
    first.run("sudo nvpmodel -m 0; sudo ./jetson_clocks.sh")
    shown = first.run("sudo ./jetson_clocks.sh --show").out
    again = Root(tmp_path / "board", FAST)
    assert again.run("nvpmodel -q").out == "NV Power Mode: MAXN\n0\n"
    assert again.run("sudo ./jetson_clocks.sh --show").out == shown
