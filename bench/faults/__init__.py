"""The bench of data faults: problems, injected cases, evenkeel's path, outsiders, the tally."""
