from __future__ import annotations

import pandas as pd
import pytest

from evenkeel.diagnosis import recoding, swapped_names
from tests.unit.diagnosis.feed import SUBJECT, feed

SPELLINGS = {
    "capitals": {"north": "NORTH", "south": "SOUTH", "east": "EAST"},
    "padded": {"north": "north ", "south": "south ", "east": "east "},
    "first letters": {"north": "N", "south": "S", "east": "E"},
    "codes in order": {"east": "1", "north": "2", "south": "3"},
    "codes in no order": {"east": "q7", "north": "q1", "south": "q4"},
}


@pytest.mark.parametrize("new", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("first", [0, 120])
def test_names_spelled_otherwise_are_put_back(new, first):
    past, batch = feed(400, seed=1)
    broken = batch.copy()
    broken.loc[first:, "region"] = batch.loc[first:, "region"].map(new)
    (fault,) = recoding.detect(broken, past, SUBJECT)
    assert (fault.cause, fault.columns) == ("data.category_recoding", ("region",))
    assert fault.confidence >= 0.95
    assert fault.transform == ", ".join(sorted(f"{old}->{name}" for old, name in new.items()))
    assert list(fault.repaired["region"]) == list(batch["region"])


def test_a_new_category_is_no_recoding():
    past, batch = feed(400, seed=2)
    broken = batch.assign(region=batch["region"].mask(batch.index % 5 == 0, "west"))
    assert recoding.detect(broken, past, SUBJECT) == []


def test_codes_that_could_stand_for_either_are_named_but_not_put_back():
    past, batch = feed(200, seed=3)
    past = type(past)(
        *(
            part.assign(region=["north", "south"] * (len(part) // 2))
            if isinstance(part, pd.DataFrame)
            else tuple(p.assign(region=["north", "south"] * 100) for p in part)
            for part in (past.reference, past.recent)
        )
    )
    (fault,) = recoding.detect(batch.assign(region=["a", "b"] * 100), past, SUBJECT)
    assert fault.cause == "data.category_recoding"
    assert not fault.repaired


def test_swapped_categories_are_told_by_their_names():
    past, batch = feed(200, seed=4)
    broken = batch.assign(region=batch["plan"], plan=batch["region"])
    (fault,) = swapped_names.detect(broken, past, SUBJECT)
    assert (fault.cause, fault.transform) == ("data.columns_swapped", "region<->plan")
    assert list(fault.repaired["region"]) == list(batch["region"])
    assert list(fault.repaired["plan"]) == list(batch["plan"])
