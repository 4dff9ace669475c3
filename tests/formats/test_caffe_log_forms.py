"""Logs of ``caffe time`` as people hand them on: wrapped, in pieces, huge, or no logs at all."""

from __future__ import annotations

import re
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.formats import caffe_log_scan
from jetbench.formats.caffe_log import parse_blocks, parse_log, parse_runs
from jetbench.formats.caffe_log_run import MAX_ITERATION_TIMES, MAX_LAYERS
from jetbench.formats.caffe_log_scan import MAX_LINE_BYTES
from tests.formats.caffe_logs import (
    FATAL,
    ITERATIONS,
    LOG,
    NET,
    RESULT,
    SETUP,
    TABLE,
    glog,
    read,
    why,
)


@pytest.mark.parametrize("width", range(60, 100))
def test_a_log_that_a_mail_program_has_wrapped_says_the_same(width: int) -> None:
    """Between any two words behind the prefix, and with blanks for tabs."""
    text = (LOG + LOG.replace("mix/1x1 a", "an_inner_product/of_a_long_name")).expandtabs()
    wrapper = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    whole, wrapped = read(text), read("\n".join(map(wrapper.fill, text.splitlines())))
    assert wrapped == whole
    assert wrapped.complete


def test_a_layers_name_alone_goes_on_only_with_what_belongs_to_a_layer() -> None:
    """Not with the shell's word that the process has died."""
    parsed = read(glog("Performing") + "Killed\n")
    assert parsed.failure is not None
    assert parsed.failure.kind == "killed"
    assert read(glog("conv1") + "forward: 2 ms.\n").layers[0].forward_ms == 2.0


def test_runs_pasted_as_one_line_are_taken_apart() -> None:
    """Each message is what it is on a line of its own."""
    pasted = read((ITERATIONS + TABLE + RESULT).replace("\n", " "))
    apart = read(ITERATIONS + TABLE + RESULT)
    assert pasted == apart
    assert apart.complete


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
def test_a_log_can_come_in_pieces_of_any_size(size: int) -> None:
    """A message, a character and a line end may be cut in two; the runs are counted."""
    data = (SETUP + LOG.replace("mix", "caf\u00e9")).replace("\n", "\r\n").encode()
    blocks = (data[at : at + size] for at in range(0, len(data), size))
    assert parse_blocks(blocks) == (parse_log(data), 2)
    assert parse_blocks([]) == (parse_log(b""), 1)


@pytest.mark.parametrize(
    "prefix",
    [
        "2019-03-15T09:14:55.{0:09}Z ",
        "Mar 15 09:14:{1:02} tegra-ubuntu caffe[811]: ",
        "tx2-01: ",
        "{0}:",
        "logs/time.log-{0}-",
        "caffe_1  | ",
        "[09:14:{1:02}] ",
        "\x1b[0;32m",
    ],
)
def test_what_another_program_puts_before_every_line_is_taken_off(prefix: str) -> None:
    """Containers, journals, shells on many hosts, grep; the printed net has it, too."""
    lines = (SETUP + LOG).splitlines(keepends=True)
    text = "".join(prefix.format(i, i % 60) + line for i, line in enumerate(lines))
    assert read(text) == read(SETUP + LOG)
    pieces = (text.encode()[at : at + 7] for at in range(0, len(text), 7))
    assert parse_blocks(pieces)[0] == read(SETUP + LOG)


def test_what_stands_before_one_message_alone_is_no_prefix_of_the_log() -> None:
    """A prompt, or a progress bar that does not end its line."""
    begin = "nvidia@tegra:~$ "
    assert read(begin + SETUP + LOG) == read(SETUP + LOG)
    assert read(SETUP + "layer 3 " + LOG).complete


def test_what_a_log_keeps_of_a_long_run_is_bounded() -> None:
    """Times, layers, fatal messages; but iterations are counted to the end."""
    ran = MAX_ITERATION_TIMES + 5
    iterations = glog("Iteration: 1 forward-backward time: 3.5 ms.").encode() * ran
    parsed = parse_log(iterations)
    assert len(parsed.iteration_ms) == MAX_ITERATION_TIMES
    assert parsed.failure is not None
    assert f"after iteration {ran}" in parsed.failure.message
    layers = (glog(f"layer{i}\tforward: 1 ms.").encode() for i in range(MAX_LAYERS + 5))
    assert len(parse_blocks(layers)[0].layers) == MAX_LAYERS
    fatal = glog("Check failed: nothing", "F").encode()
    assert why((fatal * 200 + glog("out of memory", "F").encode()).decode())[0] == "crashed"


def test_only_so_much_of_a_set_up_is_kept() -> None:
    """The inputs stand at its beginning; of its end the types of layers are missing."""
    long = SETUP.replace(NET, NET + '  top: "more"\n' * 400_000, 1)
    parsed = read(long + ITERATIONS + TABLE + RESULT)
    assert parsed.phase == "TEST"
    assert parsed.complete


def test_the_rest_of_a_line_without_end_is_dropped() -> None:
    """What follows it is read; nothing of it is kept."""
    junk = (b"Average Forward pass: 3 ms. " * 1000 for _ in range(2 * MAX_LINE_BYTES // 28_000))
    parsed, _ = parse_blocks([b"junk " * 3, *junk, b"\n" + RESULT.encode()])
    assert parsed.forward_ms == 11.5
    nothing, runs = parse_blocks(b"\0" * 100_000 for _ in range(100))
    assert runs == 1
    assert nothing.failure is not None
    assert "binary" in nothing.failure.message


def test_a_log_that_has_lost_its_beginning_still_has_its_inputs() -> None:
    """They stand where the layers are set up."""
    parsed = read(LOG[LOG.index(glog("Creating Layer data", where="net.cpp:100")) :])
    assert parsed.input_shapes == (("data", (2, 3, 8, 9)),)
    assert parsed.phase is None


def test_the_means_of_nvidias_iterations_are_no_times_of_one() -> None:
    """From 100 iterations on it prints one for each hundred."""
    parsed = read(glog("Iterations: 1-100 average forward-backward time: 9 ms.") + RESULT)
    assert parsed.iteration_ms == ()
    assert parsed.forward_ms == 11.5


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08\0", "zcat"),
        (b"BZh91AY", "bzcat"),
        (b"\xfd7zXZ\0", "xzcat"),
        (b"\x28\xb5\x2f\xfd", "zstdcat"),
        (b"PK\x03\x04", "unzip -p"),
        (b"\xff\xfeI\0", "iconv"),
        (b"\xfe\xff\0I", "iconv"),
        (b"\x7fELF\x02\0", "binary"),
    ],
)
def test_a_file_that_is_no_log_says_what_it_is(head: bytes, words: str) -> None:
    """And what makes a log of it."""
    failure = parse_log(head).failure
    assert failure is not None
    assert failure.kind == "not_caffe"
    assert words in failure.message


@pytest.mark.parametrize(
    "number", ["nan", "-nan", "-nan(ind)", "inf", "-inf", "1e999", "-3", ".", "9" * 5000, ""]
)
def test_a_number_that_is_no_time_is_none(number: str) -> None:
    """Nowhere; and nothing raises over it."""
    text = ITERATIONS + TABLE + RESULT
    parsed = read(re.sub(r"\S+ ms", f"{number} ms", text))
    assert not parsed.complete
    assert parsed.iteration_ms == ()
    assert {(layer.forward_ms, layer.backward_ms) for layer in parsed.layers} <= {(None, None)}
    assert parsed.failure is not None
    assert len(parsed.failure.message) < 600


pieces = st.one_of(
    st.sampled_from(LOG.splitlines(keepends=True)),
    st.sampled_from(["Killed\n", "> ", "\r", "} ", "Average ", "forward:\n", FATAL, "F0315 "]),
    st.text(max_size=30),
)


@given(st.lists(pieces, max_size=40))
def test_nothing_that_tells_is_passed_over(parts: list[str]) -> None:
    """To look at each line gives the same as to look for words first."""
    data = (glog("Starting it") + "".join(parts)).encode("utf-8", "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(caffe_log_scan, "_TELLING", re.compile(b""))
        patch.setattr(caffe_log_scan, "_TIME", re.compile(b"(?!)"))
        wanted = parse_runs(data)
    assert parse_runs(data) == wanted


@given(st.lists(pieces, max_size=40))
def test_any_log_is_complete_or_has_a_reason(parts: list[str]) -> None:
    """Never both, never neither, and never a number that is none."""
    for parsed in parse_runs("".join(parts).encode("utf-8", "replace")):
        assert parsed.complete == (parsed.failure is None)
        assert parsed.complete == (parsed.forward_ms is not None)
        assert parsed.forward_ms is None or parsed.forward_ms > 0


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    """The result is a value, and its message is printable."""
    failure = parse_log(data).failure
    assert failure is None or failure.message.isprintable()
