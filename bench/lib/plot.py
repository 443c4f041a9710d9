# SPDX-License-Identifier: Apache-2.0
"""Curves as SVG: figures that have a series and a place on the axis become lines, both axes logarithmic when they span much."""
import math
from xml.sax.saxutils import escape

from .bench import number

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 30, 50
COLOURS = ("#1f5fa8", "#c2461e", "#2c8a4b", "#7a4fa3", "#8a6d1f", "#4a4a4a")


class Axis:
    def __init__(self, values, begin, end):
        self.low, self.high = min(values), max(values)
        self.log = self.low > 0 and self.high / self.low > 20
        self.begin, self.end = begin, end
        if not self.log:
            self.low = min(0.0, self.low)
        if self.high == self.low:
            self.high = self.low + 1

    def at(self, value):
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        value = math.log(value) if self.log else value
        return self.begin + (value - low) / (high - low) * (self.end - self.begin)

    def marks(self):
        if not self.log:
            step = round_step((self.high - self.low) / 5)
            return [step * i for i in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        return [10.0 ** power for power in range(first, last + 1) if self.low <= 10.0 ** power <= self.high] or \
            [self.low, self.high]


def round_step(least):
    """The next of 1, 2, 5, 10, 20, … that is not below."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least * 0.999)


def lines_of(result):
    """Name of a line to its points (at, low, median, high)."""
    lines = {"Headrace: " + name: [(at, value, value, value) for at, value in points]
             for name, points in result.get("curves", {}).items()}
    for row in result["figures"]:
        if row["series"] is None or row["at"] is None:
            continue
        for side, name in (("ours", "Headrace"), ("theirs", row["peer"])):
            if side in row:
                values = row[side]
                key = "%s: %s" % (name, row["series"])
                lines.setdefault(key, []).append((row["at"], values["min"], values["median"], values["max"]))
    return {name: sorted(points) for name, points in lines.items() if len(points) > 1}


def curves(result):
    """The plot of a result, or None when nothing in it is a curve."""
    lines = lines_of(result)
    if not lines:
        return None
    points = [point for line in lines.values() for point in line]
    across = Axis([point[0] for point in points], LEFT, WIDTH - RIGHT)
    upward = Axis([value for point in points for value in point[1:]], HEIGHT - BOTTOM, TOP)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">' % (
        WIDTH, HEIGHT), '<rect width="100%" height="100%" fill="white"/>']
    out.append('<text x="%d" y="18" font-size="13">%s</text>' % (LEFT, escape(result["title"])))
    out += frame(across, upward)
    for index, (name, line) in enumerate(lines.items()):
        out += draw(name, line, COLOURS[index % len(COLOURS)], index, across, upward)
    return "\n".join(out + ["</svg>", ""])


def frame(across, upward):
    out = []
    for mark in across.marks():
        x = across.at(mark)
        out.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ddd"/>' % (x, x, TOP, HEIGHT - BOTTOM))
        out.append('<text x="%.1f" y="%d" text-anchor="middle">%s</text>' % (x, HEIGHT - BOTTOM + 16, number(mark)))
    for mark in upward.marks():
        y = upward.at(mark)
        out.append('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>' % (LEFT, WIDTH - RIGHT, y, y))
        out.append('<text x="%d" y="%.1f" text-anchor="end">%s</text>' % (LEFT - 6, y + 4, number(mark)))
    return out


def draw(name, line, colour, index, across, upward):
    path = " ".join("%.1f,%.1f" % (across.at(at), upward.at(median)) for at, _, median, _ in line)
    out = ['<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (path, colour)]
    for at, low, median, high in line:
        x = across.at(at)
        out.append('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s"/>' % (x, x, upward.at(low), upward.at(high), colour))
        out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x, upward.at(median), colour))
    y = TOP + 10 + index * 16
    out.append('<rect x="%d" y="%d" width="10" height="10" fill="%s"/>' % (WIDTH - RIGHT + 12, y - 9, colour))
    out.append('<text x="%d" y="%d">%s</text>' % (WIDTH - RIGHT + 26, y, escape(name)))
    return out
