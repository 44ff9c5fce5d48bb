"""A codebase as extractors see it: the files that no rule hides, and their text. Bounded, read-only, no link out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Codebase(Protocol):
    """Files of one revision of one folder. Equal codebases give equal answers, in any order of asking."""

    @property
    def name(self) -> str:
        """What the folder or repository is called; a name of last resort for the app."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that no ignore rule hides, sorted, relative to the root, with "/"."""
        ...

    def text(self, path: str) -> str | None:
        """The file's text; None for what is too large, binary or gone. Anything that decodes is given as text."""
        ...


@dataclass(frozen=True, slots=True)
class Component:
    """One thing in a codebase that runs as a job of its own.

    `root` is the folder of its code ("" for the codebase itself), `dockerfile` what makes its image, None without;
    `service` is its name in a compose file, "" where there is none. Without `code` its image comes from elsewhere, and
    no file but the compose file is its own. `target` is the stage of the Dockerfile that is built, "" for the last;
    `build_args` are given to it. `process` is the line of a Procfile that it runs, "" for what the image itself starts.
    """

    name: str
    root: str = ""
    dockerfile: str | None = None
    service: str = ""
    code: bool = True
    target: str = ""
    build_args: tuple[tuple[str, str], ...] = ()
    process: str = ""

    def holds(self, path: str) -> bool:
        """Whether a file belongs to the component's own code."""
        return self.code and (not self.root or path.startswith(self.root + "/"))
