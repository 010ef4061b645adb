"""Deltas: what an AI proposed against what people made of it.

``mapping`` says which events those are, ``pairing`` makes proposals and decisions of them. ``text``, ``structure`` and
``document`` compare the two, ``measures`` keeps what that gives beside the log, ``figures`` count over many, and
``export`` makes rows for trainers of them.
"""
