"""The drill: run failure experiments on a market that has learned, and read the verdicts from their journals."""
