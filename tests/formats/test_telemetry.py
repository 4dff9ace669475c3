"""Telemetry: every release's tegrastats, and our own lines for boards without it."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.domain.telemetry import Sample
from jetbench.formats.telemetry import MAX_LINE_CHARS, parse_sample
from tests.shared import shared

GOLDEN = {
    "TX1, R23: one clock for all cores": (
        (
            "RAM 1533/3994MB (lfb 97x4MB) SWAP 12/512MB (cached 3MB) cpu [41%,7%,off,12%]@1734 "
            "EMC 21%@1331 AVP 3%@80 VDE 0 GR3D 88%@921 EDP limit 1734"
        ),
        Sample(
            5.5,
            gpu_mhz=921,
            gpu_load=0.88,
            emc_mhz=1331,
            emc_load=0.21,
            cpu_mhz=(1734, 1734, 1734),
            cpu_load=(0.41, 0.07, 0.12),
            ram_mib=1533,
            swap_mib=12,
        ),
    ),
    "TX1, R21: the clock of the cores is not known": (
        "RAM 811/3994MB (lfb 9x4MB) cpu [4%,off,off,off]@-1 EMC 2%@408 GR3D 0%@76 EDP limit 0",
        Sample(
            5.5, gpu_mhz=76, gpu_load=0, emc_mhz=408, emc_load=0.02, cpu_load=(0.04,), ram_mib=811
        ),
    ),
    "TX2, R27, no root": (
        "RAM 1988/7844MB (lfb 411x4MB) cpu [14%@1113,off,off,2%@1114,0%@1113,100%@1112]",
        Sample(
            5.5,
            cpu_mhz=(1113, 1114, 1113, 1112),
            cpu_load=(0.14, 0.02, 0, 1),
            ram_mib=1988,
        ),
    ),
    "TX2, R27, root": (
        (
            "RAM 2051/7844MB (lfb 402x4MB) cpu [1%@2035,3%@2033] EMC 17%@1866 GR3D 99%@1300 "
            "GR3D_PCI 4%@2505"
        ),
        Sample(
            5.5,
            gpu_mhz=1300,
            gpu_load=0.99,
            emc_mhz=1866,
            emc_load=0.17,
            cpu_mhz=(2035, 2033),
            cpu_load=(0.01, 0.03),
            ram_mib=2051,
        ),
    ),
    "TX2, R28.1, no root": (
        (
            "RAM 933/7846MB (lfb 1321x4MB) CPU [5%@2011,8%@2012] BCPU@41.5C MCPU@41.5C GPU@40C "
            "PLL@41.5C Tboard@35C Tdiode@37.75C PMIC@100C thermal@41.1C VDD_IN 3821/3655 "
            "VDD_CPU 611/534 VDD_GPU 229/229 VDD_SOC 687/687 VDD_WIFI 57/19 VDD_DDR 614/595"
        ),
        Sample(
            5.5,
            cpu_mhz=(2011, 2012),
            cpu_load=(0.05, 0.08),
            temps_c=(
                ("BCPU", 41.5),
                ("GPU", 40),
                ("MCPU", 41.5),
                ("PLL", 41.5),
                ("Tboard", 35),
                ("Tdiode", 37.75),
                ("thermal", 41.1),
            ),
            rails_w=(
                ("VDD_CPU", 0.611),
                ("VDD_DDR", 0.614),
                ("VDD_GPU", 0.229),
                ("VDD_IN", 3.821),
                ("VDD_SOC", 0.687),
                ("VDD_WIFI", 0.057),
            ),
            ram_mib=933,
        ),
    ),
    "TX2, R28.2, root, encoding, the sensors of the cores broken": (
        (
            "RAM 3100/7846MB (lfb 2x512kB) CPU [9%@2035,off] SWAP 71/1024MB (cached 5MB) "
            "EMC_FREQ 44%@1866 GR3D_FREQ 97%@1122 APE 150 MTS fg 0% bg 3% BCPU@-45C GPU@-256C "
            "AO@52.5C PMIC@100C VDD_IN 15213/14870 VDD_GPU 7404/7011 NVENC 716 NVDEC 716"
        ),
        Sample(
            5.5,
            gpu_mhz=1122,
            gpu_load=0.97,
            emc_mhz=1866,
            emc_load=0.44,
            cpu_mhz=(2035,),
            cpu_load=(0.09,),
            temps_c=(("AO", 52.5),),
            rails_w=(("VDD_GPU", 7.404), ("VDD_IN", 15.213)),
            ram_mib=3100,
            swap_mib=71,
        ),
    ),
    "TX2, R32.2, no root: loads without clocks": (
        (
            "RAM 1444/7860MB (lfb 804x4MB) SWAP 0/3930MB (cached 0MB) CPU [2%@499,off,off,1%@499] "
            "EMC_FREQ 0% GR3D_FREQ 61% PLL@44C PMIC@50C GPU@43.5C thermal@44.3C "
            "VDD_SYS_GPU 1221/1187 VDD_4V0_WIFI 38/40 VDD_IN 5512/5490"
        ),
        Sample(
            5.5,
            gpu_load=0.61,
            emc_load=0,
            cpu_mhz=(499, 499),
            cpu_load=(0.02, 0.01),
            temps_c=(("GPU", 43.5), ("PLL", 44), ("thermal", 44.3)),
            rails_w=(("VDD_4V0_WIFI", 0.038), ("VDD_IN", 5.512), ("VDD_SYS_GPU", 1.221)),
            ram_mib=1444,
            swap_mib=0,
        ),
    ),
    "TX2, R32.7, root": (
        (
            "RAM 2750/7860MB (lfb 31x4MB) SWAP 8/3930MB (cached 1MB) CPU [12%@2035,3%@2036] "
            "EMC_FREQ 31%@1866 GR3D_FREQ 99%@1300 APE 150 MTS fg 0% bg 1% GPU@58.5C "
            "VDD_SYS_GPU 6211/6034 VDD_IN 13377/12990 VDD_SYS_DDR 2390/2301"
        ),
        Sample(
            5.5,
            gpu_mhz=1300,
            gpu_load=0.99,
            emc_mhz=1866,
            emc_load=0.31,
            cpu_mhz=(2035, 2036),
            cpu_load=(0.12, 0.03),
            temps_c=(("GPU", 58.5),),
            rails_w=(("VDD_IN", 13.377), ("VDD_SYS_DDR", 2.39), ("VDD_SYS_GPU", 6.211)),
            ram_mib=2750,
            swap_mib=8,
        ),
    ),
    "TX2 NX, R32.6: no rails": (
        (
            "RAM 1207/3825MB (lfb 201x4MB) SWAP 0/1912MB (cached 0MB) CPU [7%@806,off,off,2%@806] "
            "EMC_FREQ 0% GR3D_FREQ 4% GPU@46.5C PMIC@50C"
        ),
        Sample(
            5.5,
            gpu_load=0.04,
            emc_load=0,
            cpu_mhz=(806, 806),
            cpu_load=(0.07, 0.02),
            temps_c=(("GPU", 46.5),),
            ram_mib=1207,
            swap_mib=0,
        ),
    ),
    "a later release: units behind the rails, a list of clocks, words nobody knows": (
        (
            "11-26-2026 00:30:12 RAM 3/30GB (lfb 2x4MB) NEW [x] CPU [3%@729] "
            "GR3D_FREQ 9%@[1007,1007] gpu@46.25C tj@47C VDD_IN 9000mW/8000mW "
            "VDD_CPU_GPU_CV 600mW/500mW"
        ),
        Sample(
            5.5,
            gpu_mhz=1007,
            gpu_load=0.09,
            cpu_mhz=(729,),
            cpu_load=(0.03,),
            temps_c=(("GPU", 46.25), ("tj", 47)),
            rails_w=(("VDD_CPU_GPU_CV", 0.6), ("VDD_IN", 9)),
            ram_mib=3072,
        ),
    ),
    "TX2, our own sampler": (
        (
            "sysfs gpu_cur_hz=1122000000 gpu_load_pm=873 emc_hz=1600000000 cpu_khz=2035200,345600 "
            "temp_GPU-therm=41500 temp_BCPU-therm=43000 temp_Tboard_tegra=-3500 "
            "temp_PMIC-Die=100000 temp_thermal-fan-est=42100 rail_VDD_IN=9421 rail_VDD_SYS_GPU=0 "
            "ram_kb=1048576 swap_kb=512"
        ),
        Sample(
            5.5,
            gpu_mhz=1122,
            gpu_load=0.873,
            emc_mhz=1600,
            cpu_mhz=(2035.2, 345.6),
            temps_c=(
                ("BCPU", 43),
                ("GPU", 41.5),
                ("Tboard_tegra", -3.5),
                ("thermal-fan-est", 42.1),
            ),
            rails_w=(("VDD_IN", 9.421), ("VDD_SYS_GPU", 0)),
            ram_mib=1024,
            swap_mib=0.5,
        ),
    ),
}


@pytest.mark.parametrize(("line", "sample"), GOLDEN.values(), ids=GOLDEN)
def test_a_line_gives_all_that_it_says(line: str, sample: Sample) -> None:
    """Whatever the release, with units turned into ours, and nothing that is not there."""
    assert parse_sample(line, 5.5) == sample
    assert parse_sample(f" {line}\r\n", 5.5) == sample


def test_temperature_and_power_are_found_under_either_name() -> None:
    """The GPU's sensor and the board's total are the same ones in tegrastats and in sysfs."""
    for line in ("GPU@41.5C VDD_IN 9421/1", "sysfs temp_GPU-therm=41500 rail_VDD_IN=9421"):
        sample = parse_sample(line, 0)
        assert sample is not None
        assert (sample.gpu_temp_c, sample.power_w) == (41.5, 9.421)


PIECES = [
    "RAM 1403/7851MB",
    "SWAP 16/1024MB",
    "(cached 4MB)",
    "CPU [3%@2035,off]",
    "EMC_FREQ 5%@1866",
    "GR3D_FREQ 98%@1300",
    "APE 150",
    "MTS fg 0%",
    "GPU@44.5C",
    "PMIC@100C",
    "BCPU@45C",
    "VDD_IN 8311/8200",
    "VDD_SYS_GPU 4001/3999",
    "NVENC 716",
]
OWN = [
    "gpu_cur_hz=1300500000",
    "gpu_load_pm=998",
    "cpu_khz=345600,345601",
    "temp_GPU-therm=44500",
    "temp_PLL-therm=45000",
    "rail_VDD_IN=8311",
    "new_key=7",
    "ram_kb=2048",
]


@given(st.permutations(PIECES))
def test_the_order_of_the_pieces_does_not_matter(pieces: list[str]) -> None:
    """Each release has another one."""
    assert parse_sample(" ".join(pieces), 1) == parse_sample(" ".join(PIECES), 1)


@given(st.permutations(OWN))
def test_the_order_of_our_own_pieces_does_not_matter(pieces: list[str]) -> None:
    """The sampler writes them in the order in which the kernel lists its folders."""
    assert parse_sample(f"sysfs {' '.join(pieces)}", 1) == parse_sample(
        f"sysfs {' '.join(OWN)}", 1
    )


@given(st.sets(st.sampled_from(PIECES)), st.text(alphabet="xyz ", max_size=20))
def test_what_is_not_known_takes_nothing_away(pieces: set[str], unknown: str) -> None:
    """A word of a release to come leaves the known pieces as they are."""
    line = " ".join(sorted(pieces))
    assert parse_sample(f"{line} {unknown}", 1) == parse_sample(line, 1)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "sysfs",
        "sysfs ",
        "sysfs gpu_cur_hz= emc_hz=fast cpu_khz=,,x temp_=1 temp_a/b=1 ram_kb=1e9",
        "tegrastats: command not found",
        "GR3D_FREQ 0%@٣٠٠",
        f"GR3D_FREQ {'9' * 5000}%@{'9' * 5000} GPU@{'9' * 5000}C VDD_IN {'9' * 5000}/1",
        "sysfs gpu_load_pm=1001 gpu_cur_hz=0 temp_GPU-therm=-51000 rail_VDD_IN=-5 emc_hz=1e400",
        "GR3D_FREQ 101%@99999 GPU@-51C GPU@1000C VDD_IN 1000001/1 RAM 1/2 RAM 9999999/1MB",
        "GPU@nanC VDD_IN nan/nan EMC_FREQ inf%@inf",
    ],
)
def test_what_no_board_can_mean_is_not_there(line: str) -> None:
    """Empty, mangled, beyond belief, endless: None, and no error."""
    assert parse_sample(line, 1) is None


def test_one_bad_piece_spoils_no_other() -> None:
    """A load of 300 % is left out, and the clock beside it stays."""
    sample = parse_sample("CPU [300%@345,5%@99999,x,3%@346] GR3D_FREQ 300%@1300 EMC 7%@0", 1)
    assert sample == Sample(
        1, cpu_mhz=(345, 346), cpu_load=(0.05, 0.03), gpu_mhz=1300, emc_load=0.07
    )


def test_a_line_costs_bounded_memory() -> None:
    """However many cores, sensors and rails a board makes up."""
    names = " ".join(f"T{i}@{i % 90}C V{i} {i}/1" for i in range(1000))
    for line in (
        f"CPU [{','.join(['1%@345'] * 500)}] {names}",
        "sysfs cpu_khz="
        + "345600," * 200
        + " ".join(f" temp_{i}=1 rail_{i}=1" for i in range(99)),
    ):
        sample = parse_sample(line, 1)
        assert sample is not None
        assert max(len(sample.cpu_mhz), len(sample.temps_c), len(sample.rails_w)) <= 16
    assert parse_sample("x " * MAX_LINE_CHARS + "GPU@40C", 1) is None


NAMES = "RAM SWAP CPU cpu GR3D_FREQ EMC VDD_IN sysfs gpu_cur_hz temp_ rail_ cpu_khz MB 9 1e9"
WORDS = st.sampled_from([*NAMES.split(), *"@[]%/C-.,= "])


@given(
    st.text()
    | st.lists(WORDS, max_size=60).map("".join)
    | st.lists(WORDS, max_size=60).map(" ".join)
)
def test_no_text_makes_it_raise(text: str) -> None:
    """Whatever a board says, there is a sample of sound numbers, or none."""
    for line in (text, f"sysfs {text}"):
        sample = parse_sample(line, 1)
        assert sample is None or sound(sample)


def sound(sample: Sample) -> bool:
    """Whether each number is one that a board can have."""
    numbers = [
        value for each in fields(sample) if isinstance(value := getattr(sample, each.name), float)
    ]
    loads = [load for load in (sample.gpu_load, sample.emc_load) if load is not None]
    return (
        all(math.isfinite(number) and number >= 0 for number in numbers)
        and all(0 <= load <= 1 for load in (*loads, *sample.cpu_load))
        and all(0 < mhz <= 10_000 for mhz in sample.cpu_mhz)
        and all(-40 <= degrees <= 150 for _, degrees in sample.temps_c)
        and all(0 <= watts <= 1000 for _, watts in sample.rails_w)
    )


def test_published_lines_are_read() -> None:
    """Of every release there are samples of: cores and memory, and nothing out of the way."""
    read = 0
    for path in sorted(shared("samples").glob("tegrastats*")):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("#"):
                continue
            sample, read = parse_sample(line, 1), read + 1
            assert sample is not None, (path.name, line)
            assert sound(sample), (path.name, line)
            assert 4 <= len(sample.cpu_mhz) == len(sample.cpu_load) <= 6, (path.name, line)
            assert 500 < (sample.ram_mib or 0) < 8192, (path.name, line)
            assert "PMIC" not in dict(sample.temps_c), (path.name, line)
            assert (sample.power_w is not None) == ("VDD_IN" in line), (path.name, line)
            assert sample.power_w is None or 1 < sample.power_w < 16, (path.name, line)
            assert (sample.gpu_load is not None) == ("GR3D" in line), (path.name, line)
            assert (sample.swap_mib is not None) == ("SWAP" in line), (path.name, line)
            assert sample.gpu_temp_c is None or 25 < sample.gpu_temp_c < 55, (path.name, line)
    assert read >= 10
