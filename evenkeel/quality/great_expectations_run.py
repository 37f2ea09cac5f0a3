"""One run of Great Expectations, in memory: no project, no analytics, no progress bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from evenkeel.quality.expectation import Suite

_SITE = "evenkeel"


def validate(frame: pd.DataFrame, suite: Suite) -> dict[int, Any]:
    """Judge a frame and return Great Expectations' results by their position in the suite.

    The cheapest result format is used that still says what was observed.
    """
    context = _context()
    wanted = {"result_format": "BASIC", "partial_unexpected_count": 0}
    outcome = (
        _batch_definition(context)
        .get_batch({"dataframe": frame})
        .validate(_suite(suite), result_format=wanted)
    )
    return {result.expectation_config.meta["position"]: result for result in outcome.results}


def write_docs(frame: pd.DataFrame, suite: Suite, folder: Path) -> Path:
    """Judge a frame and write the Data Docs of it into ``folder``."""
    import great_expectations as gx

    folder.mkdir(parents=True, exist_ok=True)
    context = _context()
    site = {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder.absolute()),
        },
    }
    context.add_data_docs_site(site_name=_SITE, site_config=site)
    expected = context.suites.add(_suite(suite))
    definition = gx.ValidationDefinition(name=suite.name, data=_batch_definition(context), suite=expected)
    context.validation_definitions.add(definition).run(batch_parameters={"dataframe": frame})
    context.build_data_docs(site_names=[_SITE])
    return folder / "index.html"


def _context() -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _batch_definition(context: Any) -> Any:
    asset = context.data_sources.add_pandas("batches").add_dataframe_asset("batch")
    return asset.add_batch_definition_whole_dataframe("whole")


def _suite(suite: Suite) -> Any:
    import great_expectations as gx

    return gx.ExpectationSuite(
        name=suite.name,
        expectations=[
            {"type": e.type, "kwargs": e.kwargs, "meta": {"position": position, "severity": str(e.severity)}}
            for position, e in enumerate(suite.expectations)
        ],
    )
