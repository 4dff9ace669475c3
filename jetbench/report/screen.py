"""A sweep while it runs, as the lines of a screen: one a board, what matters first.

A line looks like this, in 80 columns::

    Board      Trials             Now                     GPU             Left
    tx2-01     [####------]  5/12 bvlc_googlenet 2/3      41 °C 1300 MHz  3:41

Columns stand where they stand for the whole sweep, and a board's line moves only where its
stage changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from jetbench.report.fitting import cell_len, cut, cut_middle, padded
from jetbench.report.progress import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jetbench.report.progress import BoardProgress, Progress

_NAME_WIDTH = 14
_WIDE = 100
"""From so many columns on there is room for longer names."""
_WIDE_NAME_WIDTH = 28
_BAR = 10
_LEAST_DOING = 16
_WITH_HEADER = 8
"""The least lines of a screen on which a header takes one."""
_WORDS = {
    Stage.TROUBLE: "with problems",
    Stage.RUNNING: "running",
    Stage.WAITING: "waiting",
    Stage.OVER: "done",
}


class Tone(Enum):
    """What a line's colour says."""

    PLAIN = "plain"
    FAINT = "faint"
    """Nothing to look at any more."""
    DOUBT = "doubt"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a screen."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class _Layout:
    """How wide each column is; 0 where there is no room for it."""

    name: int
    bar: int
    count: int
    doing: int
    temperature: int
    clock: int
    left: int

    @classmethod
    def of(cls, boards: Sequence[BoardProgress], width: int) -> _Layout:
        most = _NAME_WIDTH if width < _WIDE else _WIDE_NAME_WIDTH
        name = max(len("Board"), *(min(cell_len(board.name), most) for board in boards))
        trials = max(sum(board.total for board in boards) if len(boards) > 1 else 0, 99)
        count = 2 * len(str(trials)) + 1
        optional = {"bar": _BAR + 2, "clock": 8, "temperature": 5, "left": 6}
        while True:
            taken = [name, count, *(each for each in optional.values() if each)]
            doing = width - sum(taken) - len(taken)
            if doing >= _LEAST_DOING or not any(optional.values()):
                return cls(name=name, count=count, doing=max(doing, 0), **optional)
            # What the others say as well, or what tells least, goes first.
            optional[next(column for column, each in optional.items() if each)] = 0

    @property
    def after_count(self) -> int:
        """How wide a text may be that takes the place of all that follows the count."""
        others = (self.temperature, self.clock, self.left)
        return self.doing + sum(each + 1 for each in others if each)

    def row(self, cells: dict[str, str]) -> str:
        """The columns that there are, with a blank between two."""
        widths = {
            "name": self.name,
            "bar": self.bar,
            "count": self.count,
            "doing": self.doing,
            "temperature": self.temperature,
            "clock": self.clock,
            "left": self.left,
        }
        right = {"count", "temperature", "clock", "left"}
        texts = (
            padded(cut(cells.get(column, ""), width), width, right=column in right)
            for column, width in widths.items()
            if width
        )
        return " ".join(texts).rstrip()


def screen(progress: Progress, now_s: float, width: int, height: int) -> list[Row]:
    """What is to be seen now.

    Args:
        progress: How far the boards are.
        now_s: The clock that `progress` was told the events by.
        width: How many columns a line may take.
        height: How many lines there may be.
    """
    boards = list(progress.boards.values())
    layout = _Layout.of(boards, width)
    total = [_total(progress, layout, now_s)] if len(boards) > 1 else []
    header = [_header(layout)] if height >= _WITH_HEADER else []
    shown, others = _chosen(boards, max(height - len(total) - len(header), 1))
    rows = [*header, *(_board(board, layout, now_s) for board in shown)]
    if others:
        rows.append(Row(cut(_others(others), width), Tone.FAINT))
    return [Row(cut(row.text, width), row.tone) for row in (*rows, *total)][:height]


def _chosen(
    boards: Iterable[BoardProgress], room: int
) -> tuple[list[BoardProgress], list[BoardProgress]]:
    """The boards that have a line, in their order; and those for which there is no room."""
    by_stage: dict[Stage, list[BoardProgress]] = {stage: [] for stage in Stage}
    for board in boards:
        by_stage[board.stage].append(board)
    everyone = [board for group in by_stage.values() for board in group]
    if len(everyone) <= room:
        return everyone, []
    # One line says how many more there are.
    room -= 1
    trouble, running = by_stage[Stage.TROUBLE], by_stage[Stage.RUNNING]
    # However many boards have failed: half of the lines are for those that still run.
    troubled = min(len(trouble), max(room - len(running), room - room // 2))
    order = [*trouble[:troubled], *everyone[len(trouble) :], *trouble[troubled:]]
    return order[:room], order[room:]


def _others(boards: Sequence[BoardProgress]) -> str:
    """``… and 40 more: 12 waiting, 28 done``."""
    stages = [board.stage for board in boards]
    counts = {words: stages.count(stage) for stage, words in _WORDS.items()}
    parts = [f"{count} {words}" for words, count in counts.items() if count]
    return f"… and {len(boards)} more: {', '.join(parts)}"


def _header(layout: _Layout) -> Row:
    cells = {"name": "Board", "count": "", "doing": "Now", "temperature": "", "left": "Left"}
    cells["bar" if layout.bar else "count"] = "Trials"
    cells["clock" if layout.clock else "temperature"] = "GPU"
    return Row(layout.row(cells), Tone.FAINT)


def _board(board: BoardProgress, layout: _Layout, now_s: float) -> Row:
    cells = {
        "name": cut_middle(board.name, layout.name),
        "bar": _bar(board.done, board.total),
        "count": f"{board.done}/{board.total}",
    }
    if board.problem is not None:
        return Row(_with_words(cells, board.problem, layout), Tone.BAD)
    if board.finished:
        words = f"{board.doing}, {board.failed} failed" if board.failed else board.doing
        return Row(_with_words(cells, words, layout), Tone.DOUBT if board.failed else Tone.FAINT)
    failed = f"{board.failed} failed, " if board.failed else ""
    repeat = f" {board.repeat}" if board.repeat else ""
    # Which model it is can be told from its first letters; which repeat only from all of it.
    doing = cut(failed + board.doing, layout.doing - len(repeat)) + repeat
    left_s = board.left_s(now_s)
    cells |= {
        "doing": doing,
        "temperature": "" if board.temp_c is None else f"{board.temp_c:.0f} °C",
        "clock": "" if board.gpu_mhz is None else f"{board.gpu_mhz:.0f} MHz",
        "left": "" if left_s is None else duration(left_s),
    }
    return Row(layout.row(cells), Tone.DOUBT if board.failed else Tone.PLAIN)


def _total(progress: Progress, layout: _Layout, now_s: float) -> Row:
    boards = progress.boards.values()
    done, total = sum(board.done for board in boards), sum(board.total for board in boards)
    over, failed = sum(board.finished for board in boards), sum(board.failed for board in boards)
    words = f"{over} of {len(boards)} boards done"
    if failed:
        words += f", {failed} failed"
    left_s = progress.left_s(now_s)
    cells = {"name": "All", "bar": _bar(done, total), "count": f"{done}/{total}"}
    if left_s is None or over == len(boards) or not layout.left:
        return Row(_with_words(cells, words, layout))
    room = layout.after_count - layout.left - 1
    words = padded(cut(words, room), room)
    return Row(_with_words(cells, f"{words} {duration(left_s):>{layout.left}}", layout))


def _with_words(cells: dict[str, str], words: str, layout: _Layout) -> str:
    """A row whose words take the place of all columns behind the count."""
    return f"{padded(layout.row(cells), _before(layout))} {cut(words, layout.after_count)}"


def _before(layout: _Layout) -> int:
    """How wide the columns up to the count are."""
    return layout.name + 1 + (layout.bar + 1 if layout.bar else 0) + layout.count


def _bar(done: int, total: int) -> str:
    """``[####------]``; full only when all is done."""
    filled = _BAR * done // total if total else _BAR
    return f"[{'#' * filled}{'-' * (_BAR - filled)}]"


def duration(seconds: float) -> str:
    """``0:41``, ``12:05``, ``3h05m`` or ``99h+``."""
    minutes, rest = divmod(int(seconds), 60)
    hours = minutes // 60
    if hours >= 100:  # noqa: PLR2004 - what has three figures is too wide, and a guess
        return "99h+"
    return f"{hours}h{minutes % 60:02d}m" if hours else f"{minutes}:{rest:02d}"
