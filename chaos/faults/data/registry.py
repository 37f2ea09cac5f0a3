"""Every data fault by name: what it does, what it can damage, how severe it comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from chaos.faults.data import (
    categories,
    columns,
    files_binary,
    files_spelling,
    files_text,
    labels,
    nulls,
    rows,
    times,
    values,
    worlds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SEVERITIES: Mapping[str, float] = MappingProxyType({"slight": 0.2, "clear": 0.6, "gross": 1.0})

_NUMERIC = frozenset({"numeric"})
_BOOLEAN = frozenset({"boolean"})
_NAMES = frozenset({"categorical"})
_TEXTS = frozenset({"categorical", "text"})
_TIME = frozenset({"time"})
_VALUES = frozenset({"numeric", "categorical", "boolean", "text"})
_ANY = _VALUES | _TIME
_LABEL = frozenset({"numeric", "categorical", "boolean"})


@dataclass(frozen=True)
class DataFault:
    """A fault of the feed.

    Attributes:
        name: Its name in :data:`FAULTS`.
        cause: Cause of the failure catalogue it must be attributed to; empty where it harms nothing.
        function: For a file ``(path, *, severity, seed) -> damaged copy's path``; else ``(frame, *, severity,
            columns, seed) -> Damaged``, with ``previous=`` the batch before where ``needs_previous``.
        kinds: Kinds of the columns it takes; empty for whole rows and files.
        takes: How many columns: 0 for whole rows and files; None for one or more.
        is_file: Whether it damages the bytes of a csv file.
        needs_previous: Whether it takes the batch before.
        on: What it damages: ``features``, ``key`` (the time or row key), ``labels``, ``rows`` or ``file``.
        genuine: Whether the feed is right and the world has changed.
        severities: ``slight``, ``clear`` and ``gross`` as the function takes them.
    """

    name: str
    cause: str
    function: Callable[..., Any]
    kinds: frozenset[str] = frozenset()
    takes: int | None = None
    is_file: bool = False
    needs_previous: bool = False
    on: str = "features"
    genuine: bool = False
    severities: Mapping[str, float] = field(default_factory=lambda: SEVERITIES)


def _unit(name: str, factor: float, offset: float = 0.0, words: str = "") -> DataFault:
    function = partial(values.rescale, factor=factor, offset=offset, words=words)
    return DataFault(name, "data.unit_change", function, _NUMERIC)


def _sentinel(name: str, sentinel: str, kinds: frozenset[str] = _NUMERIC) -> DataFault:
    cause = "data.sentinel_values" if sentinel else "data.nulls"
    return DataFault(name, cause, partial(nulls.put_sentinels, sentinel=sentinel), kinds)


def _whole(name: str, cause: str, function: Callable[..., Any], *, needs_previous: bool = False) -> DataFault:
    return DataFault(name, cause, function, takes=0, on="rows", needs_previous=needs_previous)


def _file(name: str, cause: str, function: Callable[..., Any]) -> DataFault:
    return DataFault(name, cause, function, takes=0, is_file=True, on="file")


_MEANING = (
    _unit("unit_x1000", 1000.0),
    _unit("unit_x100", 100.0),
    _unit("unit_x10", 10.0),
    _unit("unit_x0.1", 0.1),
    _unit("unit_x0.01", 0.01),
    _unit("unit_x0.001", 0.001),
    _unit("unit_f_to_c", 5 / 9, -160 / 9, "F to C"),
    _unit("unit_c_to_f", 9 / 5, 32.0, "C to F"),
    _unit("unit_miles_to_km", 1.609344),
    DataFault("unit_miscalibrated", "data.unit_change", values.miscalibrated, _NUMERIC, takes=1),
    DataFault("sign_flip", "data.sign_flip", values.flip_sign, _NUMERIC),
    DataFault("columns_swapped", "data.columns_swapped", values.swap, _ANY, takes=2),
    DataFault("noise", "data.noise", values.add_noise, _NUMERIC),
    DataFault("shuffled", "data.noise", values.shuffle, _VALUES),
    DataFault("outliers", "data.outliers", values.outliers, _NUMERIC),
    DataFault("out_of_range", "data.out_of_range", values.out_of_range, _NUMERIC),
    DataFault("category_case", "data.category_recoding", categories.change_case, _TEXTS, takes=1),
    DataFault("category_abbreviated", "data.category_recoding", categories.abbreviate, _NAMES, takes=1),
    DataFault("category_codes", "data.category_recoding", categories.number_codes, _NAMES, takes=1),
    DataFault("category_padded", "data.category_recoding", categories.pad, _TEXTS, takes=1),
    DataFault("category_permuted", "data.category_recoding", categories.permute, _NAMES | _BOOLEAN, takes=1),
    DataFault("boolean_inverted", "data.category_recoding", categories.invert, _BOOLEAN, takes=1),
    DataFault("category_unseen", "data.unseen_category", categories.unseen, _NAMES),
    _sentinel("sentinel_-999", "-999"),
    _sentinel("sentinel_9999", "9999"),
    _sentinel("sentinel_0", "0"),
    _sentinel("sentinel_unknown", "UNKNOWN", _TEXTS),
    _sentinel("sentinel_empty", "", _NUMERIC | _TEXTS),
    DataFault("nulls_mcar", "data.nulls", nulls.lose_at_random, _ANY),
    DataFault("nulls_mar", "data.nulls", nulls.lose_by_another, _ANY, takes=2),
    DataFault("nulls_mnar", "data.nulls", nulls.lose_by_itself, _ANY, takes=1),
    DataFault("time_shifted", "data.time_zone_shift", times.shift, _TIME, takes=1, on="key"),
    DataFault("time_shifted_part", "data.time_zone_shift", times.shift_part, _TIME, takes=1, on="key"),
    DataFault("time_future", "data.future_timestamps", times.from_the_future, _TIME, takes=1, on="key"),
    _whole("rows_duplicated", "data.duplicated_rows", rows.duplicate),
    DataFault("frozen", "data.constant_column", rows.freeze, _VALUES),
    DataFault("constant", "data.constant_column", rows.set_constant, _VALUES),
    DataFault("stale_values", "data.stale_feed", rows.send_yesterday, _VALUES, needs_previous=True),
    _whole("stale_file", "data.stale_feed", rows.send_same_file, needs_previous=True),
    DataFault("column_renamed", "data.column_renamed", columns.rename, _ANY),
    DataFault("column_removed", "data.column_missing", columns.remove, _ANY),
    _whole("column_added", "data.column_added", columns.add),
    _whole("columns_reordered", "", columns.reorder),
    DataFault("column_retyped", "data.column_retyped", columns.retype, _NUMERIC | _BOOLEAN),
    DataFault("column_garbled", "data.column_retyped", categories.garble, _NUMERIC | _BOOLEAN | _TIME),
    DataFault("labels_noisy", "data.labels_flipped", labels.noisy, _LABEL, takes=1, on="labels"),
    DataFault("labels_flipped", "data.labels_flipped", labels.flip, _LABEL, takes=1, on="labels"),
    DataFault("label_leak", "data.label_leakage", labels.leak, _LABEL, takes=2, on="labels"),
    DataFault(
        "covariate_drift", "data.covariate_drift", worlds.drift_covariates, _LABEL, takes=1, genuine=True
    ),
    DataFault(
        "prior_drift", "data.prior_drift", worlds.drift_prior, _LABEL, takes=1, on="labels", genuine=True
    ),
)

_FILES = (
    _file("file_cut_off", "data.truncated", files_text.cut_off),
    _file("file_empty", "data.empty", files_text.empty),
    _file("file_header_only", "data.empty", files_text.header_only),
    _file("file_header_again", "data.unreadable_lines", files_text.header_again),
    _file("file_footer", "data.unreadable_lines", files_text.footer),
    _file("file_open_quote", "data.unreadable_lines", files_text.open_quote),
    _file("file_too_few_cells", "data.unreadable_lines", files_text.too_few_cells),
    _file("file_too_many_cells", "data.unreadable_lines", files_text.too_many_cells),
    _file("file_undecodable", "data.unreadable_lines", files_spelling.undecodable),
    _file("file_nul_bytes", "data.unreadable_lines", files_spelling.nul_bytes),
    _file("file_broken_json_lines", "data.unreadable_lines", files_text.broken_json_lines),
    _file("file_utf16", "data.wrong_encoding", files_spelling.utf16),
    _file("file_latin1", "data.wrong_encoding", files_spelling.latin1),
    _file("file_cp1252", "data.wrong_encoding", files_spelling.cp1252),
    _file("file_semicolon", "data.wrong_delimiter", files_spelling.semicolon),
    _file("file_tab", "data.wrong_delimiter", files_spelling.tab),
    _file("file_decimal_comma", "data.wrong_delimiter", files_spelling.decimal_comma),
    _file("file_parquet_named_csv", "data.not_the_format", files_binary.parquet_named_csv),
    _file("file_error_page", "data.not_the_format", files_binary.error_page),
    _file("file_wrong_footer", "data.not_the_format", files_binary.wrong_footer),
    _file("file_parquet_cut", "data.truncated", files_binary.parquet_cut),
    _file("file_parquet_claims", "data.too_large", files_binary.parquet_claims),
    _file("file_gzip_cut", "data.truncated", files_binary.gzip_cut),
    _file("file_gzip_bomb", "data.too_large", files_binary.gzip_bomb),
    _file("file_long_line", "data.too_large", files_text.long_line),
)

FAULTS: Mapping[str, DataFault] = MappingProxyType({fault.name: fault for fault in (*_MEANING, *_FILES)})
