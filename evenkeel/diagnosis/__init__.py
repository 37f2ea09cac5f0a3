"""The classifier of silent faults: which cause, which column, how sure, on what evidence."""
