"""The story of the demo: a generated market, and history replayed through the real flows."""
