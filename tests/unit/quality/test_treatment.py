"""What came in treated cells is kept, whatever it was."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa

from evenkeel.quality.treatment import Treatment


def test_what_came_in_repaired_and_emptied_cells_is_kept_as_json_by_schema_name() -> None:
    rows = pd.DataFrame({"weight": ["1.5", "2", None], "colour": ["red", "blue", "green"]})
    treatment = Treatment(
        names={"mass": "weight"},
        repaired={"mass": np.array([True, True, True])},
        emptied={"colour": np.array([False, True, False])},
    )

    kept = treatment.originals(rows, pd.Index([1, 2, 0]))

    assert [text and json.loads(text) for text in kept] == [
        {"mass": "2", "colour": "blue"},
        None,
        {"mass": "1.5"},
    ]


def test_half_a_surrogate_pair_that_came_can_be_written() -> None:
    rows = pd.DataFrame({"colour": ["\udc80red"]})

    kept = Treatment(emptied={"colour": np.array([True])}).originals(rows, rows.index)

    written = pa.array(kept.to_numpy(dtype=object), pa.string())
    assert json.loads(written[0].as_py()) == {"colour": "\udc80red"}
