"""Altair loads jsonschema, which wherever Jupyter is installed builds 39 grammars of international addresses at once.

That is 1.4 s of each process that shows a picture, more than all else it loads, for a check that no chart asks for.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

GRAMMARS: Final = "rfc3987_syntax"


def defer_grammars() -> None:
    """Load jsonschema so that its first check of an international address builds the grammars, not its import."""
    if {GRAMMARS, "jsonschema"} & sys.modules.keys() or not (find_spec(GRAMMARS) and find_spec("jsonschema")):
        return
    stand_in = ModuleType(GRAMMARS)
    stand_in.__dict__["is_valid_syntax"] = _is_valid_syntax
    sys.modules[GRAMMARS] = stand_in
    try:
        import_module("jsonschema")
    finally:
        del sys.modules[GRAMMARS]


def _is_valid_syntax(term: str, value: str) -> bool:
    return bool(import_module(GRAMMARS).is_valid_syntax(term, value))
