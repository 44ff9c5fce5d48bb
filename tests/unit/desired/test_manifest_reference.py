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
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_manifest(example: str) -> None:
    read = read_manifests(example, "docs.yaml", defaults=Policy(), namespace="default")
    assert not read.unreadable, read.unreadable
    [manifest] = read.manifests
    if manifest.source is not None:
        assert read_job(manifest.source.text) == manifest.source.body


def test_every_field_of_the_spec_is_explained() -> None:
    assert len(EXAMPLES) == 2
    named = set(re.findall(r"`(\w+)`", TEXT))
    assert not {field.alias for field in AppSpec.model_fields.values()} - named
