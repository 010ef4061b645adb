"""Events become states: projections, the fold, and the questions that are asked of it.

``projection`` and ``declaration`` say what a state is; ``folding`` makes it in Python, ``sql`` in an engine. ``states``
are those of all entities, ``population`` is one field of them, ``models`` are states kept beside the log. ``history``,
``differences`` and ``what_if`` say how one came to be, and what would have been.
"""
