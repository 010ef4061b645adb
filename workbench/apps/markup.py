"""HTML built from values: whatever is not already an element becomes text, in this one place."""

from html import escape


class Markup(str):
    """Text that is HTML already, made by `element` and by nothing else that holds a value of the log."""

    __slots__ = ()


def element(name: str, *children: object, **attributes: object) -> Markup:
    """Return one element; children and attribute values that are not Markup are escaped.

    A trailing underscore of an attribute's name is dropped and an inner one is a hyphen, so ``class_`` and
    ``aria_label`` can be written; an attribute of None is left out.

    >>> element("td", "<b>", element("i", 5), class_="n")
    '<td class="n">&lt;b&gt;<i>5</i></td>'
    """
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    written = "".join(f' {key}="{escape(str(value))}"' for key, value in given)
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: object) -> Markup:
    """Return children one after the other, escaped where they are not Markup; None is left out."""
    return Markup(
        "".join(child if isinstance(child, Markup) else escape(str(child)) for child in children if child is not None)
    )
