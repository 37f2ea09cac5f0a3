"""The steps: Prefect tasks, each thin; policy comes from one table, work from the library."""
