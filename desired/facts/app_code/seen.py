"""What the readers of an ecosystem see in its files, one thing at a time; `assembly` makes facts of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desired.facts.fact import Place
from desired.facts.facts import Dependency
from desired.problem import Problem

# How sure: read word for word where it takes effect, read where it may not, and known of the library alone.
LITERAL = 0.6
LIKELY = 0.5
USUAL = 0.4


@dataclass(frozen=True, slots=True)
class DependencySeen:
    """A library that the app runs with; those for development and tests are never seen."""

    dependency: Dependency
    place: Place
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvSeen:
    """One reading of a variable. `fallback` says that a default is there, even where its value cannot be read.

    `documented` is a line of an example file instead of code; `aside` is code that does not run with the app. `shell`:
    a shell puts it into the command that starts the app.
    """

    name: str
    place: Place
    required: bool = False
    default: str | None = None
    fallback: bool = False
    documented: bool = False
    example: str = ""
    confidence: float = LITERAL
    shell: bool = False


@dataclass(frozen=True, slots=True)
class PortSeen:
    """A port that is listened on. What is `usual` for such an app counts only where nothing names another."""

    port: int
    place: Place
    reason: str = ""
    confidence: float = LITERAL
    usual: bool = False


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """A path that answers how the app is, whole: with every prefix of the routers around it.

    Where a library brings it, its place is that of `library` among the dependencies.
    """

    path: str
    place: Place | None
    confidence: float = LITERAL
    reason: str = ""
    port: int | None = None
    library: str = ""


@dataclass(frozen=True, slots=True)
class StartSeen:
    """How the app is started, as words. `role` is what its source calls it: `web`, `worker`, `start`."""

    command: tuple[str, ...]
    place: Place
    role: str = "web"
    confidence: float = LITERAL
    reason: str = ""


class Sign(StrEnum):
    """What code shows beside values."""

    LISTENS = "listens"
    LOOPS = "loops for ever"
    CUDA = "asks for CUDA"
    S3 = "talks to S3"
    # These stand in the table of frameworks, as if they were dependencies.
    NET_HTTP = "net/http"
    AIOHTTP_SERVER = "aiohttp-server"
    GRPC_SERVER = "grpc-server"
    DOTNET_WEB = "Microsoft.NET.Sdk.Web"
    DOTNET_WORKER = "Microsoft.NET.Sdk.Worker"
    NO_APP = "is no app"


@dataclass(frozen=True, slots=True)
class SignSeen:
    """One sign, and where it first stands."""

    sign: Sign
    place: Place


@dataclass(frozen=True, slots=True)
class NameSeen:
    """What other projects of the same codebase call this one."""

    name: str


@dataclass(frozen=True, slots=True)
class LocalSeen:
    """Another project's folder, whose code runs as part of this one."""

    folder: str


@dataclass(frozen=True, slots=True)
class TalksSeen:
    """A service that the code names as what it talks to, by its kind in the table of backends."""

    kind: str
    place: Place


Seen = (
    DependencySeen | TalksSeen | EnvSeen | PortSeen | HealthSeen | StartSeen | SignSeen | NameSeen | LocalSeen | Problem
)


def port_number(text: str | int | float | None) -> int | None:
    """A port that can be listened on; None for anything else (0 asks the system for any)."""
    if isinstance(text, bool) or text is None or isinstance(text, float):
        return None
    if isinstance(text, str):
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
            return None
        text = int(digits)
    return text if 0 < text < 65536 else None
