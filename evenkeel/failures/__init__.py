"""What can fail: the catalogue, and the attribution of failures to it."""
