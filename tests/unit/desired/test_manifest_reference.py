"""The reference of manifests in the documents holds true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from desired.job.hcl_read import read_job
from desired.manifest import AppSpec
from desired.manifest_file import read_manifests
from desired.policy import Policy

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "manifest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
EXAMPLES = [block for block in BLOCKS if "apiVersion" in block]
PARTS = [block for block in BLOCKS if block not in EXAMPLES]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_manifest(example: str) -> None:
    read = read_manifests(example, "docs.yaml", defaults=Policy(), namespace="default")
    assert not read.unreadable, read.unreadable
    [manifest] = read.manifests
    if manifest.source is not None:
        assert read_job(manifest.source.text) == manifest.source.body


@pytest.mark.parametrize("part", PARTS)
def test_every_part_that_is_shown_may_stand_in_a_spec(part: str) -> None:
    inside = "".join(f"  {line}\n" for line in part.splitlines())
    text = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: a}}\nspec:\n  image: a:1\n{inside}"
    assert not read_manifests(text, "docs.yaml", defaults=Policy(), namespace="default").unreadable


def test_every_field_of_the_spec_is_explained() -> None:
    assert len(EXAMPLES) == 2
    named = set(re.findall(r"`(\w+)`", TEXT))
    assert not {field.alias for field in AppSpec.model_fields.values()} - named
