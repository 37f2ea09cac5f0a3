"""Are the promises kept: a recount independent of what runs claimed."""
