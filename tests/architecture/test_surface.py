"""The public names: few, real, and described."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import workbench

MODULES = sorted(info.name for info in pkgutil.walk_packages(workbench.__path__, "workbench."))


def test_there_are_at_most_twenty_public_names() -> None:
    assert len(workbench.__all__) <= 20


@pytest.mark.parametrize("name", workbench.__all__)
def test_a_public_name_resolves_and_is_described(name: str) -> None:
    assert inspect.getdoc(getattr(workbench, name))


def test_the_listed_names_are_those_that_resolve() -> None:
    assert sorted(workbench._HOMES) == sorted(workbench.__all__)


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(AttributeError, match=r"no public name 'Evnt'; it has .*Event"):
        workbench.Evnt  # noqa: B018 — looking it up is the claim


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_the_examples_in_docstrings_run(name: str) -> None:
    module = importlib.import_module(name)
    failures = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed
    assert failures == 0
