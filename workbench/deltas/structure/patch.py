"""The RFC 6902 patch that makes one JSON value of another, and applying it."""

from typing import Any

from workbench.deltas.structure.numbers import write_value


def make_patch(proposed: Any, value: Any) -> list[dict[str, Any]]:
    """Return the operations that make ``value`` of ``proposed``, to the very text of their numbers; none: they are one.

    Made with jsonpatch, of the extra ``[metrics]``.
    """
    import jsonpatch

    patch = jsonpatch.JsonPatch.from_diff(proposed, value, dumps=write_value)
    operations: list[dict[str, Any]] = patch.patch
    return operations


def apply_patch(value: Any, patch: list[dict[str, Any]]) -> Any:
    """Return what a patch makes of a value, which stays as it is.

    Raises jsonpatch.JsonPatchException where an operation's path leads nowhere.

    >>> apply_patch({"amount": 163}, [{"op": "replace", "path": "/amount", "value": 290}])
    {'amount': 290}
    """
    import jsonpatch

    # The whole replaced, as of values too deep to be copied: that needs no copy.
    if len(patch) == 1 and patch[0].get("path") == "" and patch[0]["op"] == "replace":
        return patch[0]["value"]
    return jsonpatch.apply_patch(value, patch)
