"""What a picture has no use for is not made before it; whoever does use it finds it whole."""

import subprocess
import sys

import pytest

pytest.importorskip("rfc3987_syntax", reason="Jupyter's check of international addresses is not installed")

CHECK = """
import sys
import workbench.{first}
assert "rfc3987_syntax" not in sys.modules
from jsonschema import Draft202012Validator
conforms = Draft202012Validator.FORMAT_CHECKER.conforms
assert conforms("https://workbench.example/é", "iri") and not conforms("no address", "iri")
assert conforms("/é", "iri-reference")
import rfc3987_syntax
assert rfc3987_syntax.__file__
"""


@pytest.mark.parametrize("first", ["charts.lanes", "views.base", "apps.widget"])
def test_addresses_have_their_grammars_when_the_first_is_checked(first: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", CHECK.format(first=first)], check=True)
