"""Rules of images: where they come from, and how exactly they are named. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from desired.admission.job_parts import fits, place_of, tasks, where
from desired.admission.rules import PolicySpec
from desired.objection import Objection
from desired.state import JobBody


def images(body: JobBody, rules: PolicySpec) -> Iterator[Objection]:
    if rules.images is None:
        return
    for group, task in tasks(body):
        image = (task.get("Config") or {}).get("image")
        if not isinstance(image, str):
            continue
        label, at = where(group, task), (*place_of(group, task), "config", "image")
        name, tag, digest = _parts(image)
        allowed = rules.images.allowed
        if allowed is not None and not fits(name, allowed) and not fits(image, allowed):
            fix = f"allowed are {', '.join(allowed)}"
            yield Objection("images.allowed", f"{label}: the image {image} is not among those that may run", fix, at)
        if allowed is not None and (loaded := (task.get("Config") or {}).get("load")):
            # What is in the file says itself what it is called.
            message = f"{label}: the image is loaded from {loaded}, and comes from no registry"
            yield Objection("images.allowed", message, "leave out `load`", (*at[:-1], "load"))
        if "${" in f"{tag}{digest}":
            # A variable of the task's own environment, say: it may be anything by then.
            tag, digest = "latest", ""
        if rules.images.digest_required and not digest:
            fix = f"write {name}@sha256:…"
            yield Objection("images.digestRequired", f"{label}: the image {image} names no digest", fix, at)
        elif rules.images.tag_required and not tag and not digest:
            yield Objection("images.tagRequired", f"{label}: the image {image} names no tag", f"write {name}:TAG", at)
        if not rules.images.latest and not digest and tag in ("latest", ""):
            what = "names no tag, which means latest" if not tag else "names the tag latest"
            what = "names a tag that only the node knows" if "${" in image else what
            yield Objection("images.latest", f"{label}: the image {image} {what}", "name the version that is meant", at)


def _parts(image: str) -> tuple[str, str, str]:
    """Name with registry, tag ("" if none), digest ("" if none). A colon before the last slash belongs to a port."""
    rest, _, digest = image.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    return head + slash + name, tag, digest
