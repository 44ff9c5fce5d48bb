"""The tags by which a service asks Fabio for a route: `urlprefix-host/path option=value`, read as Fabio reads them.

Fabio reads the tags of all services as one text. What it cannot read in one of them keeps the whole table as it was,
for every service, and only its log says so. So a job with such a tag is refused before it is registered.
Source: fabiolb/fabio 1.7.3, registry/consul/routecmd.go, route/parse_new.go; tried on it (fabio-1.7.3-tags).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

PREFIX = "urlprefix-"

# Source: route/parse_new.go, Commands; registry/consul/routecmd.go; route/route.go (addTarget).
_OPTIONS = frozenset(
    {
        "strip", "prepend", "proto", "tlsskipverify", "host", "register", "auth", "weight", "redirect", "allow",
        "deny", "pxyproto",
    }
)  # fmt: skip
_PROTOS = frozenset({"http", "https", "tcp", "grpc", "grpcs", "tcp+sni", "https+tcp+sni"})
# Go's \s, which ends a word for Fabio; its words are split at a space before that.
_SPACE = re.compile(r"[\t\n\f\r\v]")
# Source: Go's strconv.ParseFloat, of which infinity brings Fabio down.
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Severity(StrEnum):
    """ERROR harms other services, or Fabio itself. WARNING is this route's alone."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class TagProblem:
    """What is wrong with a tag, and what to write instead."""

    tag: str
    severity: Severity
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class FabioRoute:
    """What a tag asks for. `host` is in small letters, empty for every host, `:3333` for a port of its own (then
    without a path). Options in the order in which they stand."""

    host: str
    path: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def source(self) -> str:
        return f"{self.host}{self.path}"

    @property
    def strip(self) -> str:
        return next((value for name, value in self.options if name == "strip"), "")

    @property
    def known(self) -> bool:
        """Whether the host is known before Nomad or Fabio put variables in."""
        return "$" not in self.source


def fabio_tag(host: str, path: str, *, strip: bool = False) -> str:
    """The tag of a route."""
    tag = f"{PREFIX}{host}{path}"
    return f"{tag} strip={path}" if strip and path != "/" else tag


def is_fabio_tag(tag: str) -> bool:
    return tag.strip().startswith(PREFIX)


def fabio_route(tag: str) -> FabioRoute | None:
    """What Fabio makes of a tag; None where it is no tag for Fabio, or one that it cannot read."""
    if not is_fabio_tag(tag) or any(problem.severity is Severity.ERROR for problem in tag_problems(tag)):
        return None
    source, options = _parts(tag)
    host, path = _host_and_path(source)
    return FabioRoute(host=host, path=path, options=options)


def tag_problems(tag: str) -> tuple[TagProblem, ...]:
    """What is wrong with one tag; () for one that is not for Fabio."""
    if not is_fabio_tag(tag):
        return ()
    return tuple(TagProblem(tag, *found) for found in _problems(tag))


def service_problems(tags: Sequence[str]) -> tuple[TagProblem, ...]:
    """What is wrong with the tags of one service together: Fabio puts the others beside each route."""
    found = [problem for tag in tags for problem in tag_problems(tag)]
    if any(is_fabio_tag(tag) for tag in tags):
        found += [
            TagProblem(
                tag, Severity.ERROR,
                "a quotation mark in any tag of a service with a route keeps Fabio from following any service",
                "leave out the quotation mark",
            )
            for tag in tags
            if '"' in tag and not is_fabio_tag(tag)
        ]  # fmt: skip
    return tuple(found)


def fabio_routes(tags: Iterable[str]) -> tuple[FabioRoute, ...]:
    """The routes of a service that can be read."""
    return tuple(route for tag in tags if (route := fabio_route(tag)) is not None)


_Found = tuple[Severity, str, str]
_FREEZES = "Fabio cannot read it, and follows no service any more while it is there"


def _problems(tag: str) -> Iterator[_Found]:
    source, options = _parts(tag)
    if not source:
        yield Severity.ERROR, f"it names no route: {_FREEZES}", "write host and path: urlprefix-app.example/"
        return
    if _SPACE.search(source) or '"' in tag:
        what = "a quotation mark" if '"' in tag else "a tab or a line break"
        yield Severity.ERROR, f"{what} stands in it: {_FREEZES}", "separate options by spaces, and quote nothing"
        return
    host, path = _host_and_path(source)
    if not _readable(path):
        yield Severity.ERROR, f"its path holds a pattern without an end: {_FREEZES}", "write no [ into a path"
    if not _readable(host):
        words = "its host holds a pattern without an end: Fabio drops every request for any service while it is there"
        yield Severity.ERROR, words, "write no [ into a host"
    if host.startswith(":"):
        if not re.fullmatch(r":\d{1,5}", host):
            yield Severity.WARNING, f"{host} is no port", "write :3333 for a port of its own"
        if not any(name == "proto" for name, _ in options):
            yield Severity.WARNING, "a port of its own without `proto=tcp` gets nothing", "add proto=tcp"
    elif "/" not in source:
        yield Severity.WARNING, f"without a slash it is every path of the host {host}", f"write {PREFIX}{source}/"
    elif "=" in host:
        yield Severity.WARNING, f"an option stands where the host should: {host}", "write the host and path first"
    elif host.endswith(":") or (host in ("", "http", "https") and path.startswith("//")):
        yield Severity.WARNING, "it is written like a URL", "leave out http://"
    elif "//" in path:
        yield Severity.WARNING, f"only requests that write both slashes of {path} get there", "write one slash"
    yield from _option_problems(path, options)


def _option_problems(path: str, options: Sequence[tuple[str, str]]) -> Iterator[_Found]:
    weights = [value for name, value in options if name == "weight"]
    if weights and weights[-1]:
        yield from _weight_problems(weights[-1])
    for name, value in options:
        if name not in _OPTIONS:
            yield Severity.WARNING, f"Fabio knows no option {name}", f"it knows {', '.join(sorted(_OPTIONS))}"
        elif not value:
            yield Severity.WARNING, f"{name} without a value does nothing", f"write {name}=..."
        elif name == "strip" and not path.startswith(value):
            words = f"strip={value} takes nothing from {path}"
            yield Severity.WARNING, words, "strip what the path begins with"
        elif name == "proto" and value not in _PROTOS:
            yield Severity.WARNING, f"Fabio knows no proto {value}", "https, tcp, grpc or grpcs"
        elif name == "redirect":
            yield from _redirect_problems(value)


def _weight_problems(weight: str) -> Iterator[_Found]:
    number = _decimal(weight)
    if number is None:
        infinite = re.fullmatch(r"\+?inf(inity)?", weight, re.IGNORECASE)
        harm = "Fabio ends by it, and again at each start" if infinite else _FREEZES
        yield Severity.ERROR, f"weight={weight} is no share: {harm}", "write a number from 0 to 1: weight=0.5"
    elif not 0 <= number <= 1:
        yield Severity.WARNING, f"weight={weight} is no share of 1", "write a number from 0 to 1: weight=0.5"


def _decimal(weight: str) -> float | None:
    if not _DECIMAL.fullmatch(weight):
        return None
    number = float(weight)
    return None if number in (float("inf"), float("-inf")) else number


def _redirect_problems(value: str) -> Iterator[_Found]:
    code, comma, target = value.partition(",")
    if not comma or "," in target:
        yield Severity.WARNING, f"redirect={value} redirects nothing", "write redirect=301,https://$host$path"
        return
    if not target or not _is_url(target):
        yield Severity.ERROR, f"redirect={value} names no address: {_FREEZES}", "write redirect=301,https://$host$path"
    if not re.fullmatch(r"3\d\d", code):
        yield Severity.WARNING, f"{code} is no status of a redirect", "301, 302, 303, 307 or 308"


def _is_url(target: str) -> bool:
    """As Go's url.Parse sees it, or stricter."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", target) or re.search(r"[\x00-\x20\x7f]", target):
        return False
    try:
        _ = urlsplit(target).port
    except ValueError:
        return False
    return ":" not in target.partition("/")[0] or "://" in target


def _parts(tag: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What stands before the first space, and the options behind it."""
    source, _, rest = tag.strip()[len(PREFIX) :].strip().partition(" ")
    pairs = (one.partition("=") for one in rest.split())
    return source, tuple((name, value) for name, _, value in pairs)


def _host_and_path(source: str) -> tuple[str, str]:
    if source.startswith(":"):
        return source, ""
    host, slash, path = source.partition("/")
    return host.lower(), f"/{path}" if slash else "/"


def _readable(pattern: str) -> bool:
    """Whether Fabio's patterns take it: a `[` has to begin a class of characters.

    Source: gobwas/glob, as tried on Fabio: `{a` is taken, `[a`, `[]`, `[a-]` and `[z-a]` are not.
    """
    rest = re.sub(r"\\.", "", pattern)
    while "[" in rest:
        members, end, rest = rest.partition("[")[2].partition("]")
        members = members.removeprefix("!")
        ranged = len(members) > 1 and members[1] == "-"
        if not end or not members or (ranged and (len(members) != 3 or members[0] > members[2])):
            return False
    return True
