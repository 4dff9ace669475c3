"""Protobuf's text format: everything it allows, and where each thing stands."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetbench.domain.errors import ModelError
from jetbench.formats.textproto import (
    MAX_DEPTH,
    Message,
    Scalar,
    line_and_column,
    parse,
)
from tests.shared import shared


def ints(text: str) -> list[int | None]:
    """The dims of a text as integers."""
    return [scalar.as_int() for scalar in parse(text).scalars("dim")]


def fails(text: str) -> ModelError:
    """The error that a text gives."""
    with pytest.raises(ModelError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "shape { dim: 7 dim: 5 }",
        "shape: { dim: 7 dim: 5 }",
        "shape < dim: 7; dim: 5, >",
        "shape{dim:7dim:5}",
        "shape {\r\n\tdim\r\n:\r\n7\r\ndim: 5\r\n}\r\n",
        "shape\r{\rdim: 7\rdim: 5\r}",
        "shape { dim: [7, 5] }",
        "shape { dim: [ # two\n 7 # and\n, 5 ] };",
        "shape [ { dim: 7 dim: 5 } ]",
        "shape { dim: # 9\n # dim: 8\n 7 dim: 0x5 }",
        "# { first\nshape { dim: 007 dim: 5 # }\n}",
        "\ufeffshape { dim: 7 dim: 5 }",
    ],
)
def test_every_way_of_writing_a_shape_reads_the_same(text: str) -> None:
    """Colons, brackets, separators, lists, comments, blanks and bases do not matter."""
    (shape,) = parse(text).messages("shape")
    assert [dim.as_int() for dim in shape.scalars("dim")] == [7, 5]
    for dim in shape.scalars("dim"):
        assert text[dim.start : dim.end] == dim.text


def test_numbers_are_read_as_protobuf_reads_them() -> None:
    """Decimal, hexadecimal, octal, signed, with a sign apart; a float is no integer."""
    text = "dim: 12 dim: 0x1F dim: 0X1f dim: 017 dim: -3 dim: - 4 dim: 64.0 dim: 1e3 dim: 2f"
    assert ints(text) == [12, 31, 31, 15, -3, -4, None, None, None]
    floats = [scalar.as_float() for scalar in parse(text).scalars("dim")]
    assert floats == [12, 31, 31, 15, -3, -4, 64, 1000, 2]
    special = parse("a: inf a: -inf a: nan a: foo a: '7'").scalars("a")
    assert [s.as_float() for s in special[:2]] == [math.inf, -math.inf]
    assert math.isnan(special[2].as_float() or 0)
    assert [s.as_float() for s in special[3:]] == [None, None]
    assert all(s.as_int() is None for s in special)


def test_a_number_of_five_thousand_digits_is_no_integer() -> None:
    """It is read as a scalar, and costs nothing."""
    assert ints("dim: " + "9" * 5000 + " dim: 089") == [None, None]


def test_strings_are_decoded_and_joined() -> None:
    """Both quotes, escapes, octal and hexadecimal bytes of UTF-8, adjacent literals."""
    text = r"""name: "a\tb\"c" 'd\'' # and
        "\303\251\xe2\x82\xac\u00e9\\" name: plain name: '' """
    assert [s.as_str() for s in parse(text).scalars("name")] == [
        "a\tb\"cd'é€é\\",
        "plain",
        "",
    ]
    latin = parse('name: "caf\udce9 \\351"').scalars("name")
    assert latin[0].as_str() == "caf\udce9 \udce9"


def test_booleans_are_words_or_numbers() -> None:
    """Anything else is none."""
    text = "b: true b: f b: 1 b: 0 b: 2 b: maybe b: 'true'"
    values = [s.as_bool() for s in parse(text).scalars("b")]
    assert values[:6] == [True, False, True, False, None, None]


def test_a_message_gives_the_last_scalar_and_all_of_a_name() -> None:
    """As protobuf does for fields that are not repeated, and for those that are."""
    message = parse("a: 1 a { } a: 2 b: [] c: [{ d: 1 }, < d: 2 >]")
    last = message.get("a")
    assert last is not None
    assert last.text == "2"
    assert message.get("missing") is None
    assert len(message.all("a")) == 3
    assert message.all("b") == ()
    assert [c.scalars("d")[0].text for c in message.messages("c")] == ["1", "2"]


def test_positions_point_into_the_source() -> None:
    """Fields from their name on, messages with their braces, also behind a byte-order mark."""
    text = "\ufefflayer { name: 'x' }"
    (layer,) = parse(text).fields
    assert text[layer.start : layer.end] == "layer { name: 'x' }"
    assert isinstance(layer.value, Message)
    assert text[layer.value.start : layer.value.end] == "{ name: 'x' }"
    assert line_and_column(text, layer.value.fields[0].start) == (1, 10)


def test_line_ends_of_all_kinds_count_once() -> None:
    """LF, CRLF and a lone CR; an offset within a CRLF still lies on the line it ends."""
    text = "a\nb\r\nc\rd"
    assert [line_and_column(text, i) for i in range(len(text) + 1)] == [
        (1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1), (4, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a {\n b {\n c: 1\n}", 1, "never closed"),
        ("a { }\n}", 2, "closes nothing"),
        ("a {\n b: 1 >", 2, "cannot close"),
        ("a:\n\n 'x", 3, "never closed"),
        ("a: 'x\ny: 'z'", 2, "never closed"),
        ("dim: [1 2]", 1, "list of dim"),
        ("dim: [1, ]", 1, "list of dim"),
        ("dim: [1", 1, "list of dim"),
        ("dim [1]", 1, '":"'),
        ("dim 1", 1, '":"'),
        ("dim: $#batch#$", 1, '"$"'),
        ("dim:\n", 2, "ends"),
        ("a: 1;;", 1, "out of place"),
        ("\x01", 1, "0x01"),
        ("'text'", 1, "a field"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, words: str) -> None:
    """One message with line and column, never another exception."""
    error = fails(text)
    assert error.line == line
    assert error.column is not None
    assert words in error.message


def test_a_missing_quote_is_guessed_at() -> None:
    """The syntax error comes lines later; the hint names the string that ran over."""
    error = fails('a: x"\nb: "c"\n')
    assert error.hint is not None
    assert "line 1" in error.hint
    assert "quote" in error.hint


def test_nesting_is_bounded() -> None:
    """A hundred levels are read, a thousand are refused with a message."""
    deep = "a {" * (MAX_DEPTH - 1) + "}" * (MAX_DEPTH - 1)
    assert len(parse(deep).fields) == 1
    assert "deep" in fails("a {" * 1000 + "}" * 1000).message
    assert "deep" in fails("a [{" * 1000).message


def test_names_in_messages_are_bounded() -> None:
    """A file that is one long word does not fill the screen."""
    assert len(fails("x" * 100_000).message) < 200


blanks = st.sampled_from([" ", "\n", "\r\n", "\t", " # {[<\n", "  "])
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
leaves = st.one_of(
    st.integers(-(2**31), 2**31).map(str),
    st.integers(0, 255).map(hex),
    st.text(max_size=12)
    .map(lambda s: "".join(f"\\{b:03o}" for b in s.encode()))
    .map('"{}"'.format),
    st.sampled_from(["true", "MAX", "0.5", "1e-5", ".5f", "'a' \"b\""]),
)
Tree = list[tuple[str, Any]]
"""Names with the text of a scalar, or with a tree."""
trees = st.recursive(
    st.lists(st.tuples(names, leaves), max_size=4),
    lambda inner: st.lists(st.tuples(names, st.one_of(leaves, inner)), max_size=4),
    max_leaves=20,
)


def written(draw: st.DrawFn, tree: Tree) -> str:
    """A text that means the tree, in any style."""
    out = []
    for name, value in tree:
        blank = draw(blanks)
        if isinstance(value, str):
            text = f"{name}{blank}:{draw(blanks)}{value}"
        else:
            opener, closer = draw(st.sampled_from([("{", "}"), ("<", ">")]))
            colon = draw(st.sampled_from(["", ":"]))
            text = f"{name}{blank}{colon}{opener}{written(draw, value)}{draw(blanks)}{closer}"
        out.append(text + draw(st.sampled_from(["", ";", ","])))
    return draw(blanks).join(out)


def shape_of(message: Message) -> Tree:
    """The tree that a message means."""
    return [
        (
            field.name,
            field.value.text if isinstance(field.value, Scalar) else shape_of(field.value),
        )
        for field in message.fields
    ]


@given(st.data())
def test_whatever_is_written_is_read_back(data: st.DataObject) -> None:
    """Any tree of fields, in any style, comes back with every text where it stands."""
    tree = data.draw(trees)
    text = data.draw(st.composite(written)(tree))
    assert shape_of(parse(text)) == tree


@given(st.text(alphabet="ab{}<>[]:;,#\"'\\\n\r 01x-.\ufeff\udce9", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    """Nothing but a ModelError with line and column comes out, whatever goes in."""
    try:
        parse(text)
    except ModelError as error:
        refused = error
    else:
        return
    assert refused.line is not None
    assert refused.column is not None


def test_published_nets_are_read() -> None:
    """The unreadable ones of the corpus are those that its manifest calls unparsable."""
    rows = shared("corpus/prototxt/MANIFEST.tsv").read_text("utf-8").splitlines()[1:]
    for row in rows:
        name, style = row.split("\t")[0], row.split("\t")[5]
        text = shared(f"corpus/prototxt/{name}").read_bytes().decode("utf-8", "surrogateescape")
        if "unparsable" in style or "list without commas" in row:
            fails(text)
        else:
            parse(text)
