"""Events become states: projections, the fold, and the questions that are asked of it.

``projection`` and ``declaration`` say what a state is, ``fold`` makes it; ``states`` asks an engine for the states of
all entities, ``history``, ``blame``, ``differences``, ``what_if`` say how one came to be.
"""
