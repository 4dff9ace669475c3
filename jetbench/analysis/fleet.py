"""A board against its fleet: which boards of a sweep differ from the others by more than noise.

For each case that at least three boards have measured in the same way, a board's mean time is
held against the median of its peers' means. The mean of the logarithms of these ratios over the
cases is the board's offset. A board is named where

- its offset is larger than `FACTOR` times the noise, and than `FLOOR`;
- at least `MOST` of its cases lie on the same side.

The noise is put together from two independent parts. The one between boards is the median
absolute deviation of the peers' offsets (times 1.4826, so that it estimates a standard
deviation). Of a dozen boards that is a rough estimate, of two it is nearly none: so it is
moderated, as the variances of genes are (Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3), by the
prior that boards of one kind differ by `PRIOR` (standard deviation), which counts as much as
`PRIOR_FREEDOM` degrees of freedom; a MAD of m offsets counts 0.37 (m - 1), its efficiency for
normal noise. The other part is the standard error of the offset from the spread between the
processes.

The board that stands out most is taken out first, and the rest is held against each other
again: of three boards of which one is slow, the two others would look fast.

Hardware, power mode, net, batch, phase, device and iterations must be equal. Whether the clocks
were locked need not: clocks that did not lock are what the evidence is there to name.

Measured by simulation, 6,000 sweeps a cell of four models with three processes each, boards that
differ by 0.8 % (``benchmarks/bench_null.py --tables``): "any named" where no board differs, "5 %
found" and "another named" where one board is 5 % slower.

======  =====  =========  =========  =============
boards  noise  any named  5 % found  another named
======  =====  =========  =========  =============
12      0.5 %  0.8 %      98.2 %     0.8 %
12      1.0 %  0.6 %      96.5 %     0.6 %
12      2.0 %  0.8 %      83.9 %     0.6 %
3       0.5 %  0.9 %      96.1 %     1.0 %
3       1.0 %  0.8 %      93.7 %     1.4 %
3       2.0 %  1.0 %      82.2 %     2.8 %
======  =====  =========  =========  =============
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jetbench.analysis.comparable import circumstances, key_of
from jetbench.domain.record import FleetOutlier
from jetbench.formats.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jetbench.analysis.comparable import Circumstance, Key
    from jetbench.domain.record import Record

FEWEST_BOARDS = 3
"""With two nobody knows which one is right."""
FLOOR = 0.02
"""As a part of the time: less is not worth a word."""
FACTOR = 3.65
"""Times the noise."""
PRIOR = 0.008
"""The standard deviation between boards of one kind, as a part, before any is measured."""
PRIOR_FREEDOM = 20.0
MOST = 0.75
"""Of the cases of a board, that must differ in the same direction."""

_NAME_WIDTH = 60
_MAD_TO_STDEV = 1.4826
_MAD_EFFICIENCY = 0.37
_WORDS = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_SKIPPED = frozenset({"serial number", "caffe path"})
"""What is another one on every board, or says nothing about speed."""

_Logs = dict[tuple["Key", "str | None"], dict[str, "_Time"]]
"""By case, with the hardware, and by board."""


@dataclass(frozen=True, slots=True)
class _Time:
    """The time of a case on a board."""

    log: float
    """Of the mean, ms."""
    variance: float | None
    """Of that, from the spread between the processes; None for a single process."""


@dataclass(frozen=True, slots=True)
class _Offset:
    """How far a board is from its peers, as logarithms of ratios."""

    board: str
    mean: float
    each: tuple[float, ...]
    """By case."""
    variance: float
    """Of the mean, from the spread between the processes."""
    peers: frozenset[str]

    @property
    def agreed(self) -> int:
        """How many cases lie on the side of the mean."""
        return sum(math.copysign(1, one) == math.copysign(1, self.mean) for one in self.each)


def outliers(records: Iterable[Record]) -> tuple[FleetOutlier, ...]:
    """The boards that differ from the others by more than noise, the farthest first."""
    timed = [record for record in records if _usable(record)]
    times: _Logs = {}
    for record in timed:
        summary = record.forward_ms
        if summary is not None:
            variance = None if summary.spread is None else summary.spread**2 / summary.n
            alike = replace(key_of(record), board="", clocks_locked=None)
            key = (alike, record.provenance.hardware)
            times.setdefault(key, {})[record.board] = _Time(math.log(summary.mean), variance)
    found = []
    while (farthest := _farthest(times)) is not None:
        found.append(_named(farthest, timed))
        times = {
            key: {board: time for board, time in boards.items() if board != farthest.board}
            for key, boards in times.items()
        }
    return tuple(found)


def _usable(record: Record) -> bool:
    return (
        record.forward_ms is not None
        and record.forward_ms.mean > 0
        and record.status in {"ok", "suspect"}
    )


def _farthest(times: _Logs) -> _Offset | None:
    """The board that stands out most of those that stand out."""
    offsets = {offset.board: offset for offset in _offsets(times)}
    ratios = {
        board: abs(offset.mean) / _noise(offset, offsets)
        for board, offset in offsets.items()
        if abs(offset.mean) > FLOOR and offset.agreed >= MOST * len(offset.each)
    }
    board = max(ratios, key=lambda name: ratios[name], default=None)
    return None if board is None or ratios[board] <= FACTOR else offsets[board]


def _offsets(times: _Logs) -> Iterator[_Offset]:
    """Of each board that has peers."""
    groups = [boards for boards in times.values() if len(boards) >= FEWEST_BOARDS]
    ratios: dict[str, list[float]] = {}
    variances: dict[str, list[float]] = {}
    peers: dict[str, set[str]] = {}
    for boards in groups:
        # Of a single process there is no spread: it is taken to be that of the others.
        known = [time.variance for time in boards.values() if time.variance is not None]
        usual = statistics.median(known) if known else PRIOR**2
        for board, time in boards.items():
            others = [other.log for name, other in boards.items() if name != board]
            ratios.setdefault(board, []).append(time.log - statistics.median(others))
            variances.setdefault(board, []).append(
                usual if time.variance is None else time.variance
            )
            peers.setdefault(board, set()).update(name for name in boards if name != board)
    for board, each in ratios.items():
        yield _Offset(
            board=board,
            mean=statistics.fmean(each),
            each=tuple(each),
            variance=math.fsum(variances[board]) / len(each) ** 2,
            peers=frozenset(peers[board]),
        )


def _noise(offset: _Offset, offsets: Mapping[str, _Offset]) -> float:
    """The standard deviation of an offset between boards that do not differ."""
    peers = [offsets[name].mean for name in offset.peers]
    middle = statistics.median(peers)
    mad = _MAD_TO_STDEV * statistics.median([abs(peer - middle) for peer in peers])
    freedom = _MAD_EFFICIENCY * (len(peers) - 1)
    between = (PRIOR_FREEDOM * PRIOR**2 + freedom * mad**2) / (PRIOR_FREEDOM + freedom)
    return math.sqrt(between + offset.variance)


def _named(offset: _Offset, records: Sequence[Record]) -> FleetOutlier:
    ratio = math.exp(offset.mean)
    own = [record for record in records if record.board == offset.board]
    theirs = [
        circumstances([record for record in records if record.board == peer])
        for peer in sorted(offset.peers)
    ]
    different = "; ".join(_different(circumstances(own), theirs))
    count, cases = len(offset.peers), len(offset.each)
    models = {record.model for record in own}
    what = "models" if len(models) == cases else "cases"
    every = "both" if cases == 2 else f"all {cases}"  # noqa: PLR2004 - as one says it
    on = every if offset.agreed == cases else f"{offset.agreed} of {cases}"
    on = f"on {on} {what}" if cases > 1 else f"on {printable(own[0].model, _NAME_WIDTH)}"
    peers = _WORDS[count] if count < len(_WORDS) else str(count)
    evidence = (
        f"{printable(offset.board, _NAME_WIDTH)} is {100 * abs(ratio - 1):.0f} % "
        f"{'slower' if ratio > 1 else 'faster'} than its {peers} peers {on}: "
        + (different or "nothing else is known to differ")
    )
    return FleetOutlier(offset.board, ratio, cases, count, evidence)


def _different(
    own: Sequence[Circumstance], theirs: Sequence[Sequence[Circumstance]]
) -> Iterator[str]:
    """``GPU clock 1122 MHz, theirs 1300``: what is another than on most of the peers."""
    said = set()
    for place, mine in enumerate(own):
        usual = _usual([peer[place] for peer in theirs])
        if mine.name in _SKIPPED or usual is None or not mine.differs(usual):
            continue
        if mine.name == "lowest GPU clock" and "GPU clock" in said:
            continue
        said.add(mine.name)
        unit = f" {mine.unit}" if mine.unit else ""
        yield f"{mine.name} {mine.text}{unit}, theirs {usual.text}"


def _usual(peers: Sequence[Circumstance]) -> Circumstance | None:
    """What holds for the peers: the median, or the text that more than half of them have."""
    known = [peer.value for peer in peers if peer.value is not None]
    if not known:
        return None
    numbers = [value for value in known if isinstance(value, float)]
    if numbers:
        return replace(peers[0], value=float(statistics.median(numbers)))
    (value, count), *_ = Counter(known).most_common(1)
    return replace(peers[0], value=value) if 2 * count > len(peers) else None
