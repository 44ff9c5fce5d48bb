"""Where in Nomad's variables the documents of a store lie: a place, and names that fit into paths.

A path has 128 characters of `[a-zA-Z0-9-_~/]`, and names of documents may be anything: whatever else stands in them is
written as `~` and two hex digits a byte. What is too long is cut, and told apart by its hash; a document carries its
whole name besides. Pure.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

SCHEME = "nomad"
# Leaves room for the longest name, and for the parts of a large document.
_LONGEST_PLACE = 40
_LONGEST_NAME = 64
_KEPT = 24
_PLAIN = re.compile(rb"[a-zA-Z0-9_-]")
_PLACE = re.compile(r"[a-zA-Z0-9\-_~]+(/[a-zA-Z0-9\-_~]+)*")
# Source: nomad/structs namespaces: validNamespaceName.
_NAMESPACE = re.compile(r"[a-zA-Z0-9-]{1,128}")


@dataclass(frozen=True, slots=True)
class VariablePlace:
    """`namespace` is empty where the URL names none."""

    path: str
    namespace: str = ""

    @classmethod
    def parse(cls, url: str) -> VariablePlace:
        """From `nomad://<path>[?namespace=<name>]`; ValueError says what is wrong with it."""
        parts = urlsplit(url)
        path = f"{parts.netloc}{parts.path}"
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        namespace = query.pop("namespace", "")
        if not url.startswith(f"{SCHEME}://") or parts.fragment or query or not _PLACE.fullmatch(path):
            raise ValueError(
                "is not nomad://path/of/variables: parts of letters, digits, - _ and ~ between slashes (no dots), "
                "and at most ?namespace=… behind it"
            )
        if len(path) > _LONGEST_PLACE:
            raise ValueError(f"is too long: the path may have {_LONGEST_PLACE} characters")
        if path.split("/", 1)[0] == "nomad":
            raise ValueError(
                "is in Nomad's own part of the variables, which other jobs may read: take nomad-operator/…"
            )
        if "namespace" in dict(parse_qsl(parts.query, keep_blank_values=True)) and not _NAMESPACE.fullmatch(namespace):
            raise ValueError("names no namespace: letters, digits and dashes, 128 at most")
        return cls(path, namespace)

    def __str__(self) -> str:
        return f"{SCHEME}://{self.path}" + (f"?namespace={self.namespace}" if self.namespace else "")

    @property
    def lease(self) -> str:
        """The variable whose lock decides who acts."""
        return f"{self.path}/lease"

    @property
    def documents(self) -> str:
        """What the paths of all documents begin with."""
        return f"{self.path}/d/"

    def document(self, name: str) -> str:
        return self.documents + encoded(name)

    def documents_named(self, beginning: str) -> str:
        """What the paths of documents begin with whose names begin like this; short enough not to be cut."""
        return self.documents + _escaped(beginning)

    def parts(self, name: str) -> str:
        """What the paths of the parts of a large document begin with."""
        return f"{self.path}/p/{encoded(name)}/"


def encoded(name: str) -> str:
    """One path segment a name, and never the same for two. UnicodeEncodeError for what is no text."""
    whole = _escaped(name)
    if len(whole) <= _LONGEST_NAME:
        return whole
    # Two tildes stand in no escaped name.
    return f"{whole[:_KEPT]}~~{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _escaped(name: str) -> str:
    return "".join(
        chr(byte) if _PLAIN.fullmatch(bytes([byte])) else f"~{byte:02X}" for byte in name.encode()
    )  # fmt: skip
