"""Run by pm4py's own Python: reads the XES files named on stdin, answers each with the seconds and what was found."""

import json
import sys
import time


def main() -> None:
    import pm4py  # type: ignore[import-not-found]  # AGPL: only ever in an environment of its own

    for line in sys.stdin:
        begin = time.perf_counter()
        events = pm4py.read_xes(line.strip(), return_legacy_log_object=False)
        seconds = time.perf_counter() - begin
        counts = events["concept:name"].value_counts().to_dict()
        traces = int(events["case:concept:name"].nunique())
        answer = {"seconds": seconds, "traces": traces, "activities": counts, "version": pm4py.__version__}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
