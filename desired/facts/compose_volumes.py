"""What a compose file's service keeps outside of its container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from desired.facts.codebase import Codebase
from desired.facts.compose_file import Service
from desired.facts.fact import Fact
from desired.facts.facts import VolumeFact
from desired.facts.hidden_paths import nothing_kept
from desired.facts.located import Located
from desired.facts.read_once import path_set
from desired.facts.substitution import interpolated

NAME = "compose"
PRIORITY = 0.7
# Of the machine, for looking at it or steering it: nothing that an app keeps.
_OF_THE_MACHINE = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/etc/localtime",
    "/etc/timezone",
    "/lib/modules",
    "/usr/src",
    "/proc",
    "/sys",
    "/dev",
)


def volumes(codebase: Codebase, service: Service) -> dict[str, Fact[VolumeFact]]:
    """By the place in the container; of two for one place the later."""
    found: dict[str, Fact[VolumeFact]] = {}
    for listed in service.all("volumes"):
        for part in listed.as_list():
            made = _long(part) if isinstance(part.value, Mapping) else _short(interpolated(part.text))
            if made is None:
                continue
            found.pop(made.mount, None)
            if not _of_the_machine(made) and from_codebase(codebase, service, part, made) is None:
                found[made.mount] = part.fact(made, NAME, PRIORITY)
    return found


def _long(part: Located) -> VolumeFact | None:
    kind, source, target, read_only = (part.get(name) for name in ("type", "source", "target", "read_only"))
    mount = interpolated(target.text) if target is not None else ""
    if not mount.startswith("/") or (kind is not None and kind.text not in ("volume", "bind")):
        return None
    name = interpolated(source.text) if source is not None else ""
    return _volume(mount, name, frozen=read_only is not None and read_only.value is True)


def _short(text: str) -> VolumeFact | None:
    source, _, rest = text.partition(":")
    if not rest:
        return VolumeFact(source) if source.startswith("/") else None
    target, _, options = rest.partition(":")
    return _volume(target, source, frozen="ro" in options.split(",")) if target.startswith("/") else None


def _volume(mount: str, source: str, *, frozen: bool) -> VolumeFact:
    bound = source.startswith((".", "/", "~"))
    return VolumeFact(mount.rstrip("/") or "/", "" if bound else source, frozen, source if bound else "")


def _of_the_machine(volume: VolumeFact) -> bool:
    return (
        nothing_kept(volume.mount) or volume.host_path.endswith(".sock") or volume.host_path.startswith(_OF_THE_MACHINE)
    )


def from_codebase(codebase: Codebase, service: Service, part: Located, volume: VolumeFact) -> str | None:
    """The file or folder of the codebase that is mounted; a folder that is not there comes to be when it runs."""
    if not volume.host_path.startswith("."):
        return None
    path = service.beside(part, volume.host_path)
    if path is None:
        return volume.host_path
    held = not path or path in path_set(codebase) or any(one.startswith(f"{path}/") for one in codebase.paths)
    return (path or ".") if held else None


def mounted_files(codebase: Codebase, service: Service) -> Iterator[str]:
    """What of the codebase a service has mounted, which no image holds."""
    for listed in service.all("volumes"):
        for part in listed.as_list():
            made = _long(part) if isinstance(part.value, Mapping) else _short(interpolated(part.text))
            path = from_codebase(codebase, service, part, made) if made is not None else None
            if path is not None:
                yield path
