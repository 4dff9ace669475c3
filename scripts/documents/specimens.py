"""Values with everything in them, or with all missing that may be missing, made from their types.

A text or number of such a value carries what the code says of the field that it comes from, so
that it is still known when the program has put it into a document of its own.
"""

from __future__ import annotations

import pkgutil
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any, Literal, get_args, get_origin

import jetbench.domain
from scripts.documents.markdown import attribute_docs

Lacks = Literal["nothing", "leaves", "all"]
"""What is None where it may be: nothing; all but what has fields of its own; all."""


class Text(str):  # noqa: SLOT000 - it is there to carry more
    """A text, with what is said of it."""

    meaning = ""
    choices: tuple[str, ...] = ()


class Whole(int):
    """A whole number, with what is said of it."""

    meaning = ""


class Number(float):
    """A number, with what is said of it."""

    meaning = ""


class Flag(int):
    """True or false, with what is said of it. Nothing can be derived from bool."""

    meaning = ""


def specimen(kind: type, *, lacks: Lacks) -> Any:  # noqa: ANN401 - whatever is asked for
    """A value of a dataclass."""
    return _of_class(kind, lacks=lacks)


def _of_class(kind: type, *, lacks: Lacks) -> object:
    hints = typing.get_type_hints(kind, {**_names(), **vars(import_module(kind.__module__))})
    docs = attribute_docs(import_module(kind.__module__)).get(kind.__name__, {})
    values = {
        field.name: _value(hints[field.name], docs.get(field.name, ""), field.name, lacks=lacks)
        for field in fields(kind)
        if field.init
    }
    return kind(**values)


def _value(hint: Any, meaning: str, name: str, *, lacks: Lacks) -> object:  # noqa: ANN401, PLR0911
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        others = [one for one in inner if one is not type(None)]
        lacking = lacks == "all" or (lacks == "leaves" and not is_dataclass(others[0]))
        if lacking and len(others) < len(inner):
            return None
        return _value(others[0], meaning, name, lacks=lacks)
    if origin is Literal:
        return _marked(Text(inner[0]), meaning, choices=inner)
    if origin is tuple and inner[-1] is not Ellipsis:
        return tuple(_value(one, meaning, name, lacks=lacks) for one in inner)
    if origin in {tuple, list, frozenset, Sequence}:
        one = _value(inner[0], meaning, name, lacks=lacks)
        return [one] if origin is list else (one,)
    if origin in {dict, Mapping}:
        return {"NAME": _value(inner[1], meaning, name, lacks=lacks)}
    if is_dataclass(hint):
        return _of_class(typing.cast("type", hint), lacks=lacks)
    simple: dict[type, object] = {
        str: Text("NAME"), int: Whole(0), float: Number(0.5), bool: Flag(1), bytes: b"",
    }  # fmt: skip
    if hint not in simple:
        raise TypeError(f"{name}: nobody knows a specimen of {hint}")
    return simple[hint] if hint is bytes else _marked(simple[hint], meaning)


def _marked(value: Any, meaning: str, **more: object) -> object:  # noqa: ANN401
    for name, one in {"meaning": meaning, **more}.items():
        setattr(value, name, one)
    return value


@cache
def _names() -> dict[str, object]:
    """What annotations name that their module imports for type checkers only."""
    found: dict[str, object] = {"Mapping": Mapping, "Sequence": Sequence}
    for module in pkgutil.iter_modules(jetbench.domain.__path__, "jetbench.domain."):
        found |= {k: v for k, v in vars(import_module(module.name)).items() if k[:1].isupper()}
    return found
