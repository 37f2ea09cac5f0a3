"""Get to know a data file, and write the pipeline that fits it: what ``evenkeel init`` does."""
