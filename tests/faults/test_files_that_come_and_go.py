"""Broken files that come and go: told when they do, and nothing is left of them once a commit has taken them away."""

from __future__ import annotations

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

GAUGE = "nomad_operator_source_problems"


def test_a_file_without_an_app_is_told_when_it_comes_and_when_it_goes(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web), "apps/broken.nomad.hcl": 'job "broken" {\n'})
    process = operator().start()
    process.until_told("file problem", path="broken.nomad.hcl")
    until(lambda: f"{GAUGE} 1.0" in process.get("/metrics").text, what="the gauge counts it")
    upstream.commit({"apps/broken.nomad.hcl": None})
    process.until_told("file problem gone", path="broken.nomad.hcl")
    until(lambda: f"{GAUGE} 0.0" in process.get("/metrics").text, what="the gauge falls")
    assert len(process.told("file problem")) == 1


def test_nothing_is_left_of_a_broken_file_a_conflict_or_a_circle_that_a_commit_took_away(
    nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web, bad, twice, one, two = (nomad.name(name) for name in ("web", "bad", "twice", "one", "two"))
    invalid = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {bad}}}\nspec: {{nonsense: 1}}\n"
    upstream.commit({
        "apps/web.nomad.hcl": nomad.job_file(web),
        "apps/bad.yaml": invalid,
        "apps/twice.nomad.hcl": nomad.job_file(twice),
        "apps/again.nomad.hcl": nomad.job_file(twice),
        **_circle(nomad, one, two),
    })  # fmt: skip
    process = operator().start()
    process.until_ready(web)
    process.until_app(bad, ready="False")
    process.until_app(twice, reason="DesiredConflict")
    process.until_app(two, reason="DependencyCycle")
    upstream.commit({"apps/bad.yaml": None, "apps/twice.nomad.hcl": None, "apps/again.nomad.hcl": None,
                     "apps/one.yaml": None, "apps/one/job.nomad.hcl": None})  # fmt: skip
    process.until_app(two, reason="DependencyNotReady")
    until(
        lambda: {app["key"] for app in process.status()["apps"]} == {f"default/{web}", f"default/{two}"},
        what="only two apps are left", told=lambda: str(process.status()["apps"]),
    )  # fmt: skip


def _circle(nomad: NomadSide, one: str, two: str) -> dict[str, str | bytes | None]:
    files: dict[str, str | bytes | None] = {}
    for file, name, other in (("one", one, two), ("two", two, one)):
        spec = f"spec: {{jobFile: {file}/job.nomad.hcl, dependsOn: [{other}]}}\n"
        files[f"apps/{file}.yaml"] = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {name}}}\n{spec}"
        files[f"apps/{file}/job.nomad.hcl"] = nomad.job_file(name)
    return files
