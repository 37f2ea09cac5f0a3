"""The limit on threads holds also in a process that has loaded no numeric library yet."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json
from evenkeel.learning.threads import single_thread
from threadpoolctl import threadpool_info
seen = []
with single_thread(trees={trees}):
    seen.append({{i["user_api"]: i["num_threads"] for i in threadpool_info()}})
seen.append({{i["user_api"]: i["num_threads"] for i in threadpool_info()}})
print(json.dumps(seen))
"""


@pytest.mark.parametrize("trees", [True, False])
def test_threads_are_limited_inside_and_free_again_outside(trees):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(trees=trees)],
        env=os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    inside, outside = json.loads(done.stdout)
    assert inside == {"blas": 1, "openmp": 1 if trees else 2}
    assert outside == {"blas": 2, "openmp": 2}
