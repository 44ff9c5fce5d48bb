"""The name of one app, used as the key of everything the operator does."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_NAMESPACE = "default"

# Source: nomad/structs/structs.go validNamespaceName (namespaces) and Job.Validate (job ids: no space, no NUL).
_NAMESPACE = re.compile(r"[a-zA-Z0-9-]{1,128}")
_NAME = re.compile(r"[^\s\x00]{1,512}")


def name_problem(name: str) -> str:
    """Why no file may ask for a job of this name, although Nomad would take it; "" if one may.

    A key that is read back is not judged by it: what runs already has to be found.
    """
    if not name.isprintable():
        return "a job's name holds no control characters, and none that turn or hide text"
    if any(part in (".", "..") for part in name.split("/")):
        return "`.` and `..` cannot be asked for: they are taken out of every address"
    return ""


@dataclass(frozen=True, slots=True, order=True)
class AppKey:
    """One desired Nomad job, as `namespace/name`. Small, hashable, sortable and printable."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, text: str, default_namespace: str = DEFAULT_NAMESPACE) -> AppKey:
        """Read `namespace/name` or `name`; ValueError says what is wrong.

        A job id may itself hold slashes, so only the part before the first one is taken as a namespace.
        """
        namespace, slash, name = text.partition("/")
        if not slash:
            namespace, name = default_namespace, text
        if not _NAMESPACE.fullmatch(namespace):
            raise ValueError(f"{text!r}: {namespace!r} is not a namespace (letters, digits and dashes)")
        if not _NAME.fullmatch(name):
            raise ValueError(f"{text!r}: {name!r} is not a job name (no spaces)")
        return cls(namespace, name)
