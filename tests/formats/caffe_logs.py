"""Logs of ``caffe time``, written for the tests, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.formats.caffe_log import classify, parse_log

if TYPE_CHECKING:
    from jetbench.domain.timing import ParsedLog

NET = """\
name: "Toy"
state {
  phase: TEST
  level: 0
}
layer {
  name: "data"
  type: "Input"
  top: "data"
  input_param {
    shape {
      dim: 2
      dim: 3
    }
  }
}
layer {
  name: "mix/1x1 a"
  type: "Convolution"
  bottom: "data"
  top: "mix"
  convolution_param {
    weight_filler {
      type: "xavier"
    }
  }
}
"""


def glog(message: str, level: str = "I", where: str = "caffe.cpp:412") -> str:
    """A line as glog writes it."""
    return f"{level}0315 09:14:55.123456  811 {where}] {message}\n"


SETUP = (
    glog("Use GPU with device ID 0", where="caffe.cpp:343")
    + glog("Initializing net from parameters: ", where="net.cpp:58")
    + NET
    + "".join(
        glog(message, where="net.cpp:100")
        for message in (
            "Creating Layer data",
            "data -> data",
            "Setting up data",
            "Top shape: 2 3 8 9 (432)",
            "Memory required for data: 1728",
            "Creating Layer mix/1x1 a",
            "mix/1x1 a <- data",
            "mix/1x1 a -> mix",
            "Setting up mix/1x1 a",
            "Top shape: 2 5 8 9 (720)",
            "Network initialization done.",
        )
    )
    + glog("Performing Forward")
    + glog("*** Benchmark begins ***")
    + glog("Testing for 4 iterations.")
)
ITERATIONS = "".join(
    glog(f"Iteration: {i} forward-backward time: 3{i}.5 ms.") for i in range(1, 5)
)
TABLE = (
    glog("Average time per layer: ")
    + glog("      data\tforward: 0.0011 ms.")
    + glog("      data\tbackward: 1.2e-05 ms.")
    + glog(" mix/1x1 a\tforward: 11.25 ms.")
    + glog(" mix/1x1 a\tbackward: 20.5 ms.")
)
RESULT = (
    glog("Average Forward pass: 11.5 ms.")
    + glog("Average Backward pass: 20.75 ms.")
    + glog("Average Forward-Backward: 33 ms.")
    + glog("Total Time: 132.5 ms.")
    + glog("*** Benchmark ends ***")
)
LOG = SETUP + ITERATIONS + TABLE + RESULT
UNREADABLE = (
    "[libprotobuf ERROR text_format.cc:9] Error parsing text-format caffe.NetParameter: "
    '7:3: Expected "{".\n'
)
FATAL = "*** Check failure stack trace: ***\n    @     0x7f58d1  google::LogMessage::Fail()\n"


def read(text: str) -> ParsedLog:
    """The last finished run of a log."""
    return parse_log(text.encode("utf-8", "surrogateescape"))


def why(text: str, status: int | None = None) -> tuple[str, str]:
    """Kind and message of the failure of a log and an exit status."""
    failure = classify(read(text), status)
    assert failure is not None
    return failure.kind, failure.message
