"""Runs one target under Atheris; `scripts/fuzz` calls it, in an environment of its own.

An exception does not end the run. The smallest input for each place in the code that raises
is kept in the folder ``found``, with its traceback beside it.
"""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path
from random import Random

import atheris  # type: ignore[import-untyped]  # in the fuzzer's environment alone

with atheris.instrument_imports(include=["jetbench.formats", "jetbench.nets"]):
    from tests.fuzz.targets import TARGETS, Target, text_of

from jetbench.nets import zoo
from tests.fuzz.mutations import mutated
from tests.shared import SHARED

HERE = Path(__file__).parent
MAX_BYTES = 20_000
"""Longer inputs are slow, and say nothing that shorter ones do not."""
SLOW_S = 10.0
"""Of instrumented code; the program itself takes a fifth of it."""
_ONE_IN = 2
"""How often a mutation is one of ours, by tokens, and not one of libFuzzer's, by bytes."""


class Findings:
    """The inputs at which a target fails."""

    def __init__(self, target: Target, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._smallest: dict[str, int] = {}

    def try_input(self, data: bytes) -> None:
        """Try an input; an exception is noted and swallowed, and too long a time as well."""
        begin = time.process_time()
        try:
            self._target(data)
            seconds = time.process_time() - begin
            assert seconds < SLOW_S, f"{seconds:.1f} s"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            self._note(error, data)

    def _note(self, error: Exception, data: bytes) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        name = f"{type(error).__name__}-{Path(where.filename).stem}-{where.lineno}"
        if len(data) >= self._smallest.get(name, MAX_BYTES + 1):
            return
        if name not in self._smallest:
            sys.stderr.write(f"FOUND {name}: {error}\n")
        self._smallest[name] = len(data)
        (self._folder / name).write_bytes(data)
        trace = "".join(traceback.format_exception(error))
        (self._folder / f"{name}.txt").write_text(trace, "utf-8", "backslashreplace")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """A neighbour of an input: by libFuzzer's mutations, or damaged by tokens."""
    random = Random(seed)  # noqa: S311 - not for secrets
    if random.randrange(_ONE_IN):
        return bytes(atheris.Mutate(data, max_size))
    text = mutated(text_of(data), random, random.choice((1, 1, 2, 4)))
    return text.encode("utf-8", "surrogateescape")[:max_size]


def seeds(target: str) -> dict[str, bytes]:
    """Our own texts, the models that come along, and the shared ones; the long ones left out."""
    kind = "log" if target == "log" else "prototxt"
    found = [*(HERE / "seeds").glob(f"*.{kind}"), *(SHARED / "corpus").glob(f"*/*.{kind}")]
    texts = {path.name: path.read_bytes() for path in found}
    if kind == "prototxt":
        texts.update((name, zoo.text_of(name).encode()) for name in zoo.MODELS)
    return {name: text for name, text in texts.items() if len(text) <= MAX_BYTES}


def main() -> None:
    """Run ``TARGET FOLDER [libFuzzer's arguments]``: corpus and findings go into the folder."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    corpus, found = folder / "corpus", folder / "found"
    for path in (corpus, found):
        path.mkdir(parents=True, exist_ok=True)
    for seed, text in seeds(name).items():
        (corpus / seed).write_bytes(text)
    # What was found before is tried again first.
    for path in found.iterdir():
        path.unlink() if path.suffix == ".txt" else path.replace(corpus / path.name)
    findings = Findings(TARGETS[name], found)
    options = (f"-dict={HERE / 'prototxt.dict'}", f"-max_len={MAX_BYTES}", "-timeout=60")
    arguments = [sys.argv[0], *options, f"-artifact_prefix={found}/", *sys.argv[3:], str(corpus)]
    atheris.Setup(arguments, findings.try_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
