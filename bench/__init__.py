"""Measurements: each number a ratio against an outsider, both measured in one run."""
