"""Pictures for a slide or a README: the times of a sweep as bars, the profile of one case.

Drawn by matplotlib, which is an optional extra. The same sweep gives the same SVG, byte for byte:
no date in it, no accidental names. Bars have patterns beside their colours, for print.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

from jetbench.domain.errors import UsageError
from jetbench.formats.words import printable
from jetbench.report.table import significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jetbench.domain.kept import KeptSweep
    from jetbench.domain.material import Profile
    from jetbench.domain.record import Record

PictureFormat = Literal["png", "svg"]

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's: told apart with any kind of colour vision."""
_PATTERNS = ("", "//", "xx", "--", "\\\\", "++")
_NAME = 32
_DPI = 200
_MOST_LAYERS = 40
_MOST_LABELLED = 16
"""Bars: with more of them, numbers above them would cover each other."""


def times_picture(sweep: KeptSweep, form: PictureFormat) -> bytes:
    """The published table as bars: a group a model, a bar a board and power mode.

    A bar is the median over the processes; the line goes from the fastest to the slowest one.

    Args:
        sweep: What was measured.
        form: Of the picture.

    Raises:
        UsageError: matplotlib is not installed.
    """
    records = [record for record in sweep.records if record.forward_ms]
    models = list(dict.fromkeys(_model(record) for record in records))
    others = list(dict.fromkeys(_where(record) for record in records))
    figure, axes = _figure(min(4 + 0.35 * len(records), 16), 4.5)
    width = 0.8 / max(len(others), 1)
    for place, other in enumerate(others):
        found = {_model(record): record for record in records if _where(record) == other}
        at = [number + (place - (len(others) - 1) / 2) * width for number in range(len(models))]
        shown = [(x, found[model]) for x, model in zip(at, models, strict=True) if model in found]
        bars = _bars(axes, shown, width, place, other)
        if len(records) <= _MOST_LABELLED:
            axes.bar_label(bars, fmt=significant, fontsize=8, padding=6)
    axes.set_xticks(range(len(models)), models)
    axes.set_ylabel("ms")
    axes.margins(y=0.12)
    axes.set_title(f"Inference time{_conditions(records)}", fontsize=11)
    if len(others) > 1:
        axes.legend(fontsize=8, frameon=False, ncols=min(len(others), 4))
    if any(record.simulated for record in records):
        _mark_simulated(figure)
    return _saved(figure, form)


def _bars(
    axes: Any,  # noqa: ANN401 - matplotlib's, which is imported late
    shown: Sequence[tuple[float, Record]],
    width: float,
    place: int,
    label: str,
) -> Any:  # noqa: ANN401
    times = [record.forward_ms for _, record in shown if record.forward_ms]
    bars = axes.bar(
        [x for x, _ in shown],
        [time.median for time in times],
        width,
        label=label,
        color=_COLOURS[place % len(_COLOURS)],
        hatch=_PATTERNS[place % len(_PATTERNS)],
        edgecolor="white",
        linewidth=0,
    )
    axes.errorbar(
        [x for x, _ in shown],
        [time.median for time in times],
        yerr=[
            [time.median - time.min for time in times],
            [time.max - time.median for time in times],
        ],
        fmt="none",
        ecolor="black",
        capsize=3,
        linewidth=1,
    )
    return bars


def profile_picture(profile: Profile, form: PictureFormat) -> bytes:
    """The layers of a case: the longest ones, in the order of the net, and what the peaks allow.

    Args:
        profile: The case.
        form: Of the picture.

    Raises:
        UsageError: matplotlib is not installed.
    """
    record = profile.record
    known = [layer for layer in record.layers if layer.forward_ms is not None]
    longest = sorted(known, key=lambda layer: -(layer.forward_ms or 0.0))[:_MOST_LAYERS]
    shown = [layer for layer in known if layer in longest]
    figure, axes = _figure(8, 1.6 + 0.2 * len(shown))
    names = [printable(layer.name, _NAME) for layer in shown]
    places = range(len(shown))
    axes.barh(places, [layer.forward_ms for layer in shown], color=_COLOURS[0], label="measured")
    bounds = [
        (place, profile.bounds_ms[layer.name])
        for place, layer in zip(places, shown, strict=True)
        if layer.name in profile.bounds_ms
    ]
    axes.scatter(
        [bound for _, bound in bounds],
        [place for place, _ in bounds],
        marker="|",
        s=90,
        color=_COLOURS[1],
        label="bound: what the board's peaks allow",
        zorder=3,
    )
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("ms")
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    others = len(known) - len(shown)
    rest = f", its {len(shown)} longest layers of {len(known)}" if others else ""
    axes.set_title(f"{_model(record)} on {_where(record)}{rest}", fontsize=11)
    if record.simulated:
        _mark_simulated(figure)
    return _saved(figure, form)


def _model(record: Record) -> str:
    batch = "" if record.batch == 1 else f", batch {record.batch}"
    return printable(record.model, _NAME) + batch


def _where(record: Record) -> str:
    mode = record.power_mode
    words = "" if mode is None else f", {printable(mode.name or f'mode {mode.id}', _NAME)}"
    return printable(record.board, _NAME) + words


def _conditions(records: Sequence[Record]) -> str:
    """What the title says of all of them."""
    counts = {record.forward_ms.n for record in records if record.forward_ms}
    if not counts:
        return ": nothing was measured"
    low, high = min(counts), max(counts)
    processes = f"{low}" if low == high else f"{low} to {high}"
    return f", median of {processes} {'process' if high == 1 else 'processes'}"


def _figure(width_in: float, height_in: float) -> tuple[Any, Any]:
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an optional extra
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "a picture needs matplotlib, which is not installed",
            hint="pip install 'jetbench[plots]'",
        ) from None
    # Without these two, an SVG would be another one each time; letters stay letters.
    mpl.rcParams["svg.hashsalt"] = "jetbench"
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _mark_simulated(figure: Any) -> None:  # noqa: ANN401 - matplotlib's
    figure.text(
        0.5, 0.5, "SIMULATED", ha="center", va="center", fontsize=44, alpha=0.15, weight="bold"
    )


def _saved(figure: Any, form: PictureFormat) -> bytes:  # noqa: ANN401 - matplotlib's
    buffer = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {"Software": "jetbench"}
    figure.savefig(buffer, format=form, dpi=_DPI, metadata=metadata, facecolor="white")
    return buffer.getvalue()
