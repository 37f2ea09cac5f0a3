"""The pairs of units that feeds confuse, as ``came = factor * value + offset``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A change of unit.

    Attributes:
        words: For a person.
        factor: What the values were multiplied by.
        offset: What was then added.
        surprise: Nats that it is less to be expected than a power of ten.
    """

    words: str
    factor: float
    offset: float = 0.0
    surprise: float = 4.0


def _both(one: str, other: str, factor: float) -> tuple[Unit, Unit]:
    return (
        Unit(f"x{factor:.6g} ({one} to {other})", factor),
        Unit(f"x{1 / factor:.6g} ({other} to {one})", 1 / factor),
    )


UNITS: tuple[Unit, ...] = (
    *(
        Unit(f"x{10.0**power:.6g}", 10.0**power, surprise=0.0)
        for power in (1, 2, 3, 4, 6, 9, -1, -2, -3, -4, -6, -9)
    ),
    Unit("C to F", 9 / 5, 32.0, surprise=0.0),
    Unit("F to C", 5 / 9, -160 / 9, surprise=0.0),
    *_both("miles", "km", 1.609344),
    *_both("kg", "lb", 2.20462262),
    *_both("in", "cm", 2.54),
    *_both("m", "ft", 3.2808399),
    *_both("gal", "l", 3.785411784),
    *_both("m/s", "km/h", 3.6),
    *_both("oz", "g", 28.349523125),
    *_both("kcal", "kJ", 4.184),
    *_both("h", "min", 60.0),
    *_both("h", "s", 3600.0),
    *_both("days", "h", 24.0),
)
"""Powers of ten (MW and kW, shares and percent, currency and cents) and units of physics; none so near to 1
that a season could pass for it."""
