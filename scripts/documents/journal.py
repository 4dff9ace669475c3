"""docs/reference/journal.md: what a board writes while it measures, and the folder it ends in."""

from __future__ import annotations

from jetbench.formats import journal, telemetry
from jetbench.store import sweep_folder
from scripts.documents.markdown import from_docstring, heading

LOG = b"I0102 03:04:05.123456  4321 caffe.cpp:412] Average Forward pass: 12.51 ms.\n"
"""What the trial of the sample has logged; of a real log, one line."""
SAMPLE = """\
@start version=1 sweep=20260102-030405-a1b2c3 boot=0b7a5a3e-3c0e-4f5c-8a39-1d1f6a0a7b11
@guard state=ready asked=0 mode=0 locked=1
@trial id=1 up=865.32 utc=2026-01-02T03:04:02Z local="0102 03:04:02.023990" \
clock=1767323042.023990943 limit_s=900 busy_cs=53921 cores=6 swap_pages=0 gpu_temp_mc=38000 \
gpu_cur_hz=1300500000 gpu_min_hz=1300500000 gpu_max_hz=1300500000 mode=0
~ 866.20 RAM 1214/7851MB CPU [3%@2035,0%@2035,0%@2035,0%@2035,0%@2035,0%@2035] \
EMC_FREQ 9%@1866 GR3D_FREQ 98%@1300 GPU@39.5C VDD_IN 10170/6780
| H4sIAAAAAAACAwXBMQqAMAwF0N1T/BOEJE0dsrkIHsIh1Ooklhb0+r63sbCCk7M5ZxJNlmfAkgpKnGel0pqb6I7lrT2uivXp\
X/QDLcZwiFIW3IOmH6GVbJhLAAAA
@done id=1 exit=0 up=868.46 clock=1767323045.162085108 \
sha256=a807cb4942268db9efa813fc4037a282279b5b57a59f5cb3423a9937ce89b547 own_cs=314 \
busy_cs=54240 cores=6 swap_pages=0 gpu_temp_mc=40500 gpu_cur_hz=1300500000 \
gpu_min_hz=1300500000 gpu_max_hz=1300500000 mode=0
@end reason=done
"""


def page() -> str:
    """The text of the page.

    Raises:
        ValueError: The sample is no journal any more.
    """
    reader = journal.JournalReader()
    trials = list(reader.trials(SAMPLE.encode().splitlines()))
    if [trial.log for trial in trials] != [LOG] or reader.noise or not trials[0].samples:
        raise ValueError("the sample is not read as it was written")
    parts = [
        heading(
            "The journal, and the folder of a sweep",
            "A board measures by itself and writes down what happens, a line each. The host "
            "fetches these bytes as they are, whenever it can, stores them, and reads them then: "
            "so nothing is lost with a link, and everything can be read again.",
            "## The lines",
        ),
        from_docstring(journal, ("event", "its fields")),
        "A trial, as a board writes it:",
        f"```text\n{SAMPLE}```",
        f"The piece of the log unpacks to `{LOG.decode().strip()}`",
        "## Telemetry",
        from_docstring(telemetry, ("key", "meaning")),
        "## The folder",
        from_docstring(sweep_folder),
    ]
    return "\n\n".join(parts) + "\n"
