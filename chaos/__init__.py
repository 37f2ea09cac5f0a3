"""Failures made on purpose: the faults that are injected, and the experiments that inject them."""
