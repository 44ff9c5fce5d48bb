"""Bars of a chart as places in an SVG: drawn on the server, so that a page needs no script to be read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nomad_operator.page.repairs_view import Bar, Fate

WIDTH, HEIGHT = 720, 160
_LEFT, _RIGHT, _BOTTOM, _TOP = 28, 18, 22, 8
_GAP = 0.25
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle, in the SVG's own units."""

    x: float
    y: float
    width: float
    height: float
    fate: Fate
    told: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label and where it stands."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`lines` are those of the left axis, whose numbers are whole."""

    pieces: Sequence[Piece]
    below: Sequence[Tick]
    lines: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT


def chart(bars: Sequence[Bar], *, by_day: bool) -> Chart:
    """Stacked, what held at the bottom."""
    most = max((sum(bar.numbers.values()) for bar in bars), default=0)
    step = max(1, -(-most // _TICKS))
    top = step * max(1, -(-most // step))
    tall, wide = HEIGHT - _BOTTOM - _TOP, (WIDTH - _LEFT - _RIGHT) / max(1, len(bars))
    pieces, below = [], []
    for place, bar in enumerate(bars):
        x, filled = _LEFT + (place + _GAP / 2) * wide, 0
        for fate in Fate:
            if number := bar.numbers.get(fate, 0):
                filled += number
                y = _TOP + tall * (1 - filled / top)
                told = f"{label(bar, by_day=by_day)}: {number} {fate.value.replace('-', ' ')}"
                pieces.append(Piece(_r(x), _r(y), _r(wide * (1 - _GAP)), _r(tall * number / top), fate, told))
        if place % 6 == 5 or place == 0:
            below.append(Tick(_r(x + wide * (1 - _GAP) / 2), HEIGHT - 6, label(bar, by_day=by_day)))
    lines = [Tick(_LEFT, _r(_TOP + tall * (1 - at / top)), str(at)) for at in range(0, top + 1, step)]
    return Chart(pieces, below, lines)


def label(bar: Bar, *, by_day: bool) -> str:
    return bar.at.strftime("%d %b") if by_day else bar.at.strftime("%H:00")


def _r(value: float) -> float:
    return round(value, 1)
