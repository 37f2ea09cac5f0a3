"""What runs: one file per DAG, wiring only."""
