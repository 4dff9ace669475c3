"""What the releases of JetPack leave on a board: who it is, what is installed, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.virtual.options import Release

HOME = "home/nvidia"


@dataclass(frozen=True, slots=True)
class JetPack:
    """One release."""

    l4t: str
    """The first line of its ``nv_tegra_release``."""
    cuda: str
    packages: str
    cudnn: tuple[int, int, int]
    nvinfer: str
    jetson_clocks: str
    tegrastats: str


def _l4t(release: int, revision: str, gcid: int, date: str) -> str:
    return (
        f"# R{release} (release), REVISION: {revision}, GCID: {gcid}, BOARD: t186ref, "
        f"EABI: aarch64, DATE: {date}\n"
    )


JETPACKS: dict[Release, JetPack] = {
    "r27": JetPack(
        l4t=_l4t(27, "1.0", 10000271, "Mon Mar 13 08:00:00 UTC 2017"),
        cuda="CUDA Version 8.0.64\n",
        packages="libcudnn5 5.1.10-1+cuda8.0\ntensorrt 1.0.2-1+cuda8.0\n",
        cudnn=(5, 1, 10),
        nvinfer="1.0.2",
        jetson_clocks="home/ubuntu/jetson_clocks.sh",
        tegrastats="home/ubuntu/tegrastats",
    ),
    "r28": JetPack(
        l4t=_l4t(28, "2.1", 10000281, "Mon May 14 08:00:00 UTC 2018"),
        cuda="CUDA Version 9.0.252\n",
        packages="libcudnn7 7.1.5.14-1+cuda9.0\ntensorrt 4.0.2.0-1+cuda9.0\n",
        cudnn=(7, 1, 5),
        nvinfer="4.1.3",
        jetson_clocks=f"{HOME}/jetson_clocks.sh",
        tegrastats=f"{HOME}/tegrastats",
    ),
    "r32": JetPack(
        l4t=_l4t(32, "3.1", 10000323, "Mon Dec  9 08:00:00 UTC 2019"),
        cuda="CUDA Version 10.0.326\n",
        packages="libcudnn7 7.6.3.28-1+cuda10.0\n"
        "nvidia-l4t-core 32.3.1-20191209080000\ntensorrt 6.0.1.10-1+cuda10.0\n",
        cudnn=(7, 6, 3),
        nvinfer="6.0.1",
        jetson_clocks="usr/bin/jetson_clocks",
        tegrastats="usr/bin/tegrastats",
    ),
}
