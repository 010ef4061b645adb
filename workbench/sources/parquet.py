"""Parquet files through a mapping. A row's offset is its number from 0, its line its number from 1."""

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.errors import SourceError
from workbench.sources.tabular import BATCH, Batch, TabularSource, number_rows


class ParquetSource(TabularSource):
    """A Parquet file whose rows keep their order. ``raw`` is a row as a JSON object of all its columns."""

    format: ClassVar[str] = "parquet"
    media_type: ClassVar[str] = "application/vnd.apache.parquet"

    def read_batches(self) -> Iterator[Batch]:
        """Yield 50,000 rows at a time; raises SourceError where the file is damaged or cut off."""
        try:
            with pq.ParquetFile(self.path) as file:
                first = 0
                for rows in file.iter_batches(BATCH):
                    count = rows.num_rows
                    yield Batch(
                        inputs=pa.Table.from_batches([rows]),
                        offsets=number_rows(first, count),
                        lines=number_rows(first + 1, count),
                    )
                    first += count
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise SourceError(f"{self.path} is not whole or not Parquet: {reason} Get a whole copy.") from error
