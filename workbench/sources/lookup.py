"""A second file beside an input, joined on a column: what it says of a key stands beside each row of that key."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from workbench.errors import MappingError
from workbench.sources.mapping import Lookup

_ENDINGS = (".csv", ".parquet")


class LookupTable:
    """The rows of a lookup by key, all columns as text; none where the file is not there."""

    def __init__(self, lookup: Lookup, input_path: Path, mapping_name: str) -> None:
        self._lookup = lookup
        self._name = mapping_name
        self._path = input_path.parent / lookup.file
        self._rows = self._read() if self._path.is_file() else None

    def join(self, inputs: pa.Table) -> pa.Table:
        """Return the rows with the lookup's columns beside theirs, null where it says nothing of their key."""
        ours = self._lookup.on[0]
        for name in (ours, *self._lookup.columns):
            if (name == ours) != (name in inputs.column_names):
                fault = "is no column of the input" if name == ours else "is a column of the input already"
                raise MappingError(
                    f"{self._name}: [lookup] names {name}, which {fault}. Its columns are "
                    f"{', '.join(inputs.column_names)}."
                )
        if self._rows is None:
            found = [pa.nulls(inputs.num_rows, pa.string()) for _ in self._lookup.columns]
        else:
            keys = inputs[ours].cast(pa.string()).combine_chunks()
            places = pc.index_in(keys, value_set=self._rows["key"], skip_nulls=True)
            found = [self._rows[name].take(places) for name in self._lookup.columns]
        for name, column in zip(self._lookup.columns, found, strict=True):
            inputs = inputs.append_column(name, column)
        return inputs

    def _read(self) -> dict[str, pa.Array]:
        if self._path.suffix not in _ENDINGS:
            raise MappingError(f"{self._name}: [lookup] file {self._lookup.file!r} is neither .csv nor .parquet.")
        try:
            table = _read_csv(self._path) if self._path.suffix == ".csv" else pq.read_table(self._path)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise MappingError(f"{self._name}: [lookup] {self._path} cannot be read: {reason} Mend it.") from error
        theirs = {"key": self._lookup.on[1], **self._lookup.columns}
        for name in theirs.values():
            if name not in table.column_names:
                raise MappingError(
                    f"{self._name}: [lookup] {self._path.name} has no column {name}; it has "
                    f"{', '.join(table.column_names)}."
                )
        rows = {name: table[column].cast(pa.string()).combine_chunks() for name, column in theirs.items()}
        self._check_keys(rows["key"])
        return rows

    def _check_keys(self, keys: pa.Array) -> None:
        counts = pc.value_counts(keys.drop_null())
        twice = counts.filter(pc.greater(counts.field("counts"), 1))
        if len(twice):
            raise MappingError(
                f"{self._name}: [lookup] {self._path.name} has {twice[0]['values'].as_py()!r} twice in "
                f"{self._lookup.on[1]}. A key must stand there once."
            )


def _read_csv(path: Path) -> pa.Table:
    """Return a CSV file's columns as text; an empty field is null."""
    with path.open(encoding="utf-8") as file:
        header = next(csv.reader(file), [])
    options = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    return pa.csv.read_csv(path, convert_options=options)
