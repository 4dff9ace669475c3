"""Damage to a text, by its tokens: what people and editors do to a prototxt."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

_TOKEN = re.compile(r"#[^\n]*|\"[^\"\n]*\"|'[^'\n]*'|[A-Za-z_]\w*|-?\d[\w.]*|\s+|.", re.DOTALL)
_NUMBER = re.compile(r"-?\d[\w.]*")
_NUMBERS = (
    *("0", "-1", "1", "2", "3", "12", "007", "0x1F", "1e9", "2.5", "-0", "08"),
    *(str(2**31 - 1), str(2**31), str(2**32), str(2**40), str(2**63), "9" * 5000),
)
_STRAYS = ("{", "}", "<", ">", "[", "]", ";", ",", ":", '"', "'", "#", "\0", "\\", "%", "\r")
_DEEP = 1000

Tokens = list[str]
Damage = Callable[[Tokens, Random], Tokens]


def mutated(text: str, random: Random, times: int = 1) -> str:
    """The text after some damage, drawn from `random`."""
    for _ in range(times):
        damage = random.choice(_DAMAGES)
        text = "".join(damage(_TOKEN.findall(text) or [""], random))
    return text


def _delete(tokens: Tokens, random: Random) -> Tokens:
    start, end = _run(tokens, random)
    return tokens[:start] + tokens[end:]


def _duplicate(tokens: Tokens, random: Random) -> Tokens:
    start, end = _run(tokens, random)
    return [*tokens[:end], " ", *tokens[start:end], *tokens[end:]]


def _move(tokens: Tokens, random: Random) -> Tokens:
    start, end = _run(tokens, random)
    rest = tokens[:start] + tokens[end:]
    place = random.randint(0, len(rest))
    return [*rest[:place], " ", *tokens[start:end], " ", *rest[place:]]


def _swap(tokens: Tokens, random: Random) -> Tokens:
    one, other = random.randrange(len(tokens)), random.randrange(len(tokens))
    swapped = list(tokens)
    swapped[one], swapped[other] = tokens[other], tokens[one]
    return swapped


def _insert(tokens: Tokens, random: Random) -> Tokens:
    place = random.randint(0, len(tokens))
    return [*tokens[:place], random.choice(_STRAYS), *tokens[place:]]


def _borrow(tokens: Tokens, random: Random) -> Tokens:
    """One word in the place of another: fields and types change their meaning."""
    words = [
        place for place, token in enumerate(tokens) if token[0:1].isalpha() or token[0:1] == '"'
    ]
    if not words:
        return tokens
    borrowed = list(tokens)
    borrowed[random.choice(words)] = tokens[random.choice(words)]
    return borrowed


def _renumber(tokens: Tokens, random: Random) -> Tokens:
    numbers = [place for place, token in enumerate(tokens) if _NUMBER.fullmatch(token)]
    if not numbers:
        return tokens
    renumbered = list(tokens)
    renumbered[random.choice(numbers)] = random.choice(_NUMBERS)
    return renumbered


def _truncate(tokens: Tokens, random: Random) -> Tokens:
    text = "".join(tokens)
    return [text[: random.randint(0, len(text))]]


def _nest(tokens: Tokens, random: Random) -> Tokens:
    place, depth = random.randint(0, len(tokens)), random.choice((1, 99, 100, 101, _DEEP))
    return [*tokens[:place], *([" layer { "] * depth), *tokens[place:], *([" } "] * depth)]


def _run(tokens: Tokens, random: Random) -> tuple[int, int]:
    """A few tokens that stand together; or the block that begins there."""
    start = random.randrange(len(tokens))
    end = min(len(tokens), start + random.choice((1, 1, 1, 2, 3, 5, 8)))
    if "{" in tokens[start:end]:
        depth = 0
        for place in range(start, len(tokens)):
            depth += {"{": 1, "}": -1}.get(tokens[place], 0)
            if depth == 0 and tokens[place] == "}":
                return start, place + 1
    return start, end


_DAMAGES: tuple[Damage, ...] = (
    *(_delete, _duplicate, _move, _swap, _insert, _borrow, _renumber),
    *(_renumber, _truncate, _nest),
)
