"""Write docs/sql.md: the declared subset of SQL, from the very tables that judge a statement."""

from pathlib import Path

from workbench.query.subset.functions import AGGREGATE, REFUSED, SCALAR, WINDOW

PAGE = Path(__file__).with_name("sql.md")

HEAD = """# SQL

`session.sql` and `workbench sql` take one SELECT in a declared subset of Trino's dialect, with `:name` parameters, over
the session's relations: `events`, `events_stored`, `quarantine`, `states`, and, where a log declares proposals,
`proposals`, `decisions`, `requests`, `reasons`, `deltas`, `takings`, `measures` ([deltas.md](deltas.md)). What is not
listed here is refused by name before anything runs. This page is written by `python docs/subset.py`.

Queries may use WITH, joins (ON, USING; inner, left, right, full, cross), WHERE, GROUP BY with grouping sets, CUBE and
ROLLUP, HAVING, windows with frames, DISTINCT, UNION, INTERSECT, EXCEPT, ORDER BY, LIMIT, OFFSET, VALUES, subqueries,
UNNEST of one array WITH ORDINALITY, CASE, CAST and TRY_CAST, BETWEEN, IN, LIKE, IS DISTINCT FROM, AT TIME ZONE, FILTER.

Types: a capital stands for any one type, `…` repeats the last argument, `[…]` may be left out; `number` is any numeric
type, `exact` one without rounding, `instant` a timestamp with or without zone.
"""


def write_page() -> str:
    """Return the page."""
    parts = [HEAD]
    for title, text in (("Functions", SCALAR), ("Aggregates", AGGREGATE), ("Window functions", WINDOW)):
        signatures = [line.partition(" = ")[0] for line in text.strip().splitlines()]
        parts.append(f"\n## {title}\n\n```\n" + "\n".join(signatures) + "\n```\n")
    parts.append("\n## Refused, and why\n\n| name | reason |\n|---|---|\n")
    parts.extend(f"| `{name}` | {reason} |\n" for name, reason in sorted(REFUSED.items()))
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
