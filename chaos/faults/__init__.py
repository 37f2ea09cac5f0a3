"""What is injected: one module of functions per family of faults."""
