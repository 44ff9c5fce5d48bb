"""What `init` makes of many repositories when nobody is asked: manifests that are taken, and jobs that say the same."""

from __future__ import annotations

import asyncio

import pytest

from desired.draft.settled import settled
from desired.facts.analyze import analyze
from desired.job.hcl_read import LocalParser
from desired.policy import Policy
from desired.state import HclSource
from nomad_operator.interview.found_app import found_apps
from nomad_operator.interview.job_text import job_of, problems_of, read_back
from nomad_operator.interview.knowledge import Knowledge
from tests.extract.repository import Repository, repositories

ALL = [pytest.param(one, id=one.name) for one in repositories()]


@pytest.mark.parametrize("repository", ALL)
def test_every_app_of_a_repository_gets_a_manifest_and_where_its_image_is_known_a_job(repository: Repository) -> None:
    apps = found_apps(analyze(repository.codebase, repository.dockerfile), Knowledge(), "")
    assert apps
    for app in apps:
        draft = settled(app.draft({}))
        known = {"defaults": Policy(), "namespace": "default"}
        assert problems_of(read_back(draft, "app.yaml", **known)) == ()  # type: ignore[arg-type]
        if "image" in draft.spec:
            body, text = job_of(draft, "app.yaml", **known)  # type: ignore[arg-type]
            assert asyncio.run(LocalParser().parse(HclSource(text))) == body
