"""One YAML or JSON file of manifests: its documents as values, and everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

from desired.app import AppKey
from desired.policy import Policy
from desired.state import JsonSource, UnreadableFile

API_VERSION = "nomad-operator/v1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One `kind: App`. Either `source` (the job that its spec makes) or `job_file` (relative to its folder) is set.

    `variables` is the text of a variable file for that job file; `line` is where the document begins.
    """

    key: AppKey
    policy: Policy
    source: JsonSource | None = None
    job_file: str | None = None
    variables: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """What a file holds; `holds_any` is False where it is no manifest at all."""

    manifests: tuple[Manifest, ...]
    unreadable: tuple[UnreadableFile, ...]
    holds_any: bool = True


def holds_manifest(text: str) -> bool:
    """Cheap: does the file name our apiVersion anywhere?"""
    return API_VERSION.split("/")[0] + "/" in text and "apiVersion" in text


def read_manifests(text: str, path: str, *, defaults: Policy, namespace: str) -> ManifestFile:
    raise AssertionError("manifests are read by the manifest model")
