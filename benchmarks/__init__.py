"""Each task prints a ratio against a named peer or limit of the same run, as one JSON line.

`python -m benchmarks` runs all of them, `python -m benchmarks NAME` one. `--smoke` takes small sizes and ends within
60 s a task, `--full` the largest. Exit status 1 says that a goal was missed, or could not be measured. The last four
need Trino, a REST catalog and MinIO: those of `make stack` where they run, else they are started for the time.
"""

from typing import Final

# Task -> the module that runs it; in the order of the table in README.md.
TASKS: Final = {
    "import": "benchmarks.import_time",
    "append_growth": "benchmarks.append_growth",
    "append_at_size": "benchmarks.append_at_size",
    "ingest_cloudevents": "benchmarks.ingest_cloudevents",
    "ingest_xes": "benchmarks.ingest_xes",
    "small_files": "benchmarks.small_files",
    "one_stream": "benchmarks.one_stream",
    "timeline": "benchmarks.timeline",
    "scrub": "benchmarks.scrub",
    "scrub_population": "benchmarks.scrub_population",
    "history_blame": "benchmarks.history_blame",
    "fold_sql": "benchmarks.fold_sql",
    "fold_python": "benchmarks.fold_python",
    "delta_pairing": "benchmarks.delta_pairing",
    "delta_follow": "benchmarks.delta_follow",
    "delta_measures": "benchmarks.delta_measures",
    "trino_queries": "benchmarks.trino_queries",
    "trino_fetch": "benchmarks.trino_fetch",
    "append_rest": "benchmarks.append_rest",
    "sustained_load": "benchmarks.sustained_load",
}
