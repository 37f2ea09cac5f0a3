"""The bare script that evenkeel is measured against: read, predict with the same model, write."""

# Arguments: pipeline, rows (csv or parquet), model.skops, output parquet. Prints its own timings as JSON.
BARE = """
import json, resource, sys, time
import pandas as pd, skops.io, sklearn.ensemble, pyarrow.parquet
from evenkeel.learning.features import model_frame
from evenkeel.learning.skops_types import REVIEWED
from evenkeel.settings import load_settings
name, rows, model_file, out = sys.argv[1:]
pipeline = load_settings(name).pipeline
categorical = {"region_weather"}
kinds = {c: "categorical" if c in categorical else "numeric" for c in pipeline.features.columns}
kinds[pipeline.time] = "time"
model = skops.io.load(model_file, trusted=list(REVIEWED))
read = pd.read_parquet if rows.endswith(".parquet") else lambda f: pd.read_csv(f, parse_dates=[pipeline.time])
warm = model_frame(read(rows).head(100), pipeline, kinds); model.predict(warm)
steps, start = {}, time.perf_counter()
frame = read(rows); steps["read"] = time.perf_counter() - start
mark = time.perf_counter()
answers = model.predict(model_frame(frame, pipeline, kinds)); steps["predict"] = time.perf_counter() - mark
mark = time.perf_counter()
frame[list(pipeline.row_key)].assign(prediction=answers).to_parquet(out)
steps["write"] = time.perf_counter() - mark
print(json.dumps({"wall": time.perf_counter() - start, "steps": steps,
                  "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2}))
"""
