"""The guard as an administrator installs it, so that a user needs no more of root than that.

With full sudo a sweep brings its guard along, in a folder of its user: to allow that is to
allow everything. Installed, it is root's, and a rule of sudo can name it.
"""

from __future__ import annotations

import hashlib
from functools import cache

from jetbench.remote.exchange import script_text

FOLDER = "/usr/local/lib/jetbench"
SCRIPTS = ("common.sh", "guard.sh", "look.sh", "sampler.sh")
"""In the order in which `common.sh` sums them up."""
TASKS = ("look", "run", "restore")
RULE = "jetbench"
"""The file name of the rule, here and below ``/etc/sudoers.d``, where a dot would hide it."""


@cache
def checksum() -> str:
    """What the installed scripts must sum up to, to be used in place of those that are sent."""
    return hashlib.sha256(b"".join(map(script_text, SCRIPTS))).hexdigest()


def sudoers(user: str) -> str:
    """The rule that lets a user run the installed guard as root, and nothing else."""
    commands = ", \\\n    ".join(f"/bin/sh {FOLDER}/guard.sh {task}" for task in TASKS)
    return f"""\
# What jetbench needs of root, and no more: power mode, clocks and fan, set and put back.
# The commands are whole: no other argument may stand there.
Cmnd_Alias JETBENCH = \\
    {commands}
Defaults!JETBENCH env_reset, !setenv, secure_path="/usr/sbin:/usr/bin:/sbin:/bin"
{user} ALL = (root) NOPASSWD: JETBENCH
"""


def steps(user: str) -> str:
    """What an administrator types on the board, in the folder with the files."""
    home = f"~{user}"
    return f"""\
sudo install -d -o root -g root -m 755 {FOLDER}
sudo install -o root -g root -m 644 {" ".join(SCRIPTS)} {FOLDER}/
sudo visudo -c -f {RULE} && sudo install -o root -g root -m 440 {RULE} /etc/sudoers.d/
# JetPack 3 only: the guard runs nothing that lies in a home, so give root copies of these. Read
# them first, or take them from NVIDIA's archive: whose home it is could have changed them.
for tool in jetson_clocks.sh tegrastats; do
  [ ! -e {home}/$tool ] || sudo install -o root -g root -m 755 {home}/$tool {FOLDER}/
done
"""
