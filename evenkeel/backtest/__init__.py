"""History replayed through the real flows, batch by batch, as if it arrived on schedule."""
