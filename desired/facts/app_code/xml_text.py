"""XML from a hostile file: its root element, or what is wrong with it. Entities are refused before parsing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from desired.facts.app_code.bounded import bounded
from desired.facts.app_code.source_text import SourceText
from desired.facts.fact import Place
from desired.problem import Problem

_DECLARES = bounded(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def read_xml(source: SourceText) -> ElementTree.Element | Problem:
    """The root, with namespaces still in the tags (`local` takes them off)."""
    declared = _DECLARES.search(source.text)
    if declared is not None:
        line = source.line(declared.start())
        return Problem(source.path, line, message="declares entities, which are not read here")
    try:
        return ElementTree.fromstring(source.text)
    except ElementTree.ParseError as error:
        line, column = error.position
        return Problem(source.path, line, column + 1, "cannot be read as XML")
    except (ValueError, LookupError):
        return Problem(source.path, message="cannot be read as XML")


def local(element: ElementTree.Element) -> str:
    """The element's name without its namespace; "" for comments and the like."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: ElementTree.Element | None, *names: str) -> Iterator[ElementTree.Element]:
    """The elements at the end of a path of names."""
    if element is None:
        return
    if not names:
        yield element
        return
    for child in element:
        if local(child) == names[0]:
            yield from children(child, *names[1:])


def text_of(element: ElementTree.Element, name: str) -> str:
    """The text of the first child of that name; "" where there is none."""
    found = next(children(element, name), None)
    return (found.text or "").strip() if found is not None else ""


def place_of(source: SourceText, pattern: str) -> Place:
    """The first place of a text of the file, as a pattern; the file alone where it is written otherwise."""
    found = re.search(pattern, source.text)
    return Place(source.path) if found is None else source.place(found.start())
