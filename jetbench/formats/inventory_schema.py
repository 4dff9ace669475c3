"""The keys of an inventory: their types, and their description for editors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

# Control characters, and the invisible ones that make a terminal show another text than
# the one that is there.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_IPV6 = r"[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?"
_NAME = r"\w[\w.-]*"
_USER = r"\w[\w.+\\-]*"
_HOP = rf"({_USER}@)?({_NAME}|\[{_IPV6}\])(:[1-9][0-9]{{0,4}})?"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"

BoardName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Text = Annotated[str, Field(pattern=rf"^[^{_UNSEEN}]+$")]
Tag = Annotated[str, Field(pattern=rf"^[^{_UNSEEN}\s,@][^{_UNSEEN}\s,]*$")]
VariableName = Annotated[str, Field(pattern=rf"^{_VARIABLE}$")]
VariableValue = Annotated[
    str,
    Field(pattern=rf"^[^{_UNSEEN}]*$"),
    WithJsonSchema({"type": ["string", "number"]}),
]
Device = Annotated[int, Field(ge=0, le=255)]

MUST_BE = {
    "defaults": "keys of a board, such as 'user: nvidia'",
    "boards": "names of boards, each with keys of its own below it",
    "host": ("an address, a name or an alias of ssh_config; user and port have keys of their own"),
    "port": "a whole number from 1 to 65535",
    "user": "a login name",
    "key": "the path of a private key",
    "jump": "[user@]host[:port], several separated by commas, or none",
    "known_hosts": "the path of a known_hosts file",
    "tags": "a list of words, such as [lab-a, jetpack3]",
    "site": "a word",
    "caffe_root": "the path of a folder on the board",
    "caffe": "the path of a program on the board",
    "gpu": "the number of a CUDA device, such as 0, or none",
    "env": "names of variables with their values, such as {OMP_NUM_THREADS: 4}",
    "sudo": "one of auto, nopasswd, prompt, env:VARIABLE, command:…",
}
"""What each key wants, as the end of "KEY must be …"."""


class BoardKeys(BaseModel):
    """A board, or the defaults of all boards. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    host: Annotated[str, Field(pattern=rf"^({_NAME}|{_IPV6})$")] = Field(
        default="",
        description="Address or DNS name of the board, or an alias of ~/.ssh/config.",
        examples=["192.168.1.31"],
    )
    port: int = Field(default=22, ge=1, le=65535, description="Port of its SSH server.")
    user: Annotated[str, Field(pattern=rf"^{_USER}(@{_NAME})?$")] = Field(
        default="", description="Login name on the board.", examples=["nvidia"]
    )
    key: Text = Field(
        default="",
        description="Private key on this machine; without it, the agent and ~/.ssh.",
        examples=["~/.ssh/id_ed25519"],
    )
    jump: Annotated[str, Field(pattern=rf"^{_HOP}(,{_HOP})*$")] = Field(
        default="",
        description="Bastions on the way: [user@]host[:port], separated by commas, or none.",
        examples=["user@bastion:22", "none"],
    )
    known_hosts: Text = Field(
        default="",
        description="File on this machine with the host keys that are trusted.",
        examples=["~/.ssh/known_hosts"],
    )
    tags: list[Tag] = Field(
        default=[],
        description="Words to choose boards by: --board @lab-a.",
        examples=[["lab-a", "jetpack3"]],
    )
    site: Text = Field(default="", description="Which worker can reach the board.")
    caffe_root: Text = Field(
        default="",
        description="Folder on the board that has build/tools/caffe.",
        examples=["~/project/ssd-caffe"],
    )
    caffe: Text = Field(
        default="",
        description="The caffe program on the board, where it is not under caffe_root.",
        examples=["/usr/bin/caffe"],
    )
    gpu: Device | Literal["none"] = Field(
        default=0, description="CUDA device to measure on, or none for the CPU."
    )
    env: dict[VariableName, VariableValue] = Field(
        default={},
        description="Environment variables for caffe on the board. Not for secrets.",
        examples=[{"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"}],
    )
    sudo: Annotated[
        str, Field(pattern=rf"^(auto|nopasswd|prompt|env:{_VARIABLE}|command:[^{_UNSEEN}]+)$")
    ] = Field(
        default="auto",
        description=(
            "How power mode and clocks are set: auto (without a password, else ask), nopasswd, "
            "prompt (ask once), env:VARIABLE or command:PROGRAM that give the password. "
            "Never the password itself."
        ),
    )


class InventoryFile(BaseModel):
    """The boards that jetbench measures on."""

    model_config = ConfigDict(extra="forbid", strict=True, title="jetbench inventory")

    defaults: BoardKeys = Field(
        default=BoardKeys(),
        description="Keys for all boards; a board's own key takes the place of the whole default.",
    )
    boards: dict[BoardName, BoardKeys] = Field(
        description="The boards by name: letters, digits, '.', '_' and '-'.", min_length=1
    )


def inventory_json_schema() -> dict[str, object]:
    """The inventory as JSON Schema 2020-12, for the completion and checks of an editor."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_tightened(InventoryFile.model_json_schema()),
    }


def _tightened(schema: dict[str, object]) -> dict[str, object]:
    """The schema without the models' stand-ins for "left out", which are no defaults.

    And a name that fits no pattern is wrong, which JSON Schema does not take for granted.
    """
    kept = {
        key: _tightened(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key != "default"
    }
    return kept | {"additionalProperties": False} if "patternProperties" in kept else kept
