"""The kinds of columns: what a value may be, whatever type a file spells it in."""

from __future__ import annotations

from typing import Literal

Kind = Literal["numeric", "categorical", "boolean", "time", "text"]
