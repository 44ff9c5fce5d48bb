"""What a server has is told by its version, and what a job uses is seen in its JSON."""

from __future__ import annotations

from typing import Any

import pytest

from nomad_operator.supported import OLDEST_NOMAD, TESTED_NOMAD
from observers.nomad.features import TABLE, Feature, features, missing


def _job(group: dict[str, Any] | None = None, task: dict[str, Any] | None = None, **job: Any) -> dict[str, Any]:
    return {
        "ID": "web",
        "TaskGroups": [{"Name": "web", **(group or {}), "Tasks": [{"Name": "web", **(task or {})}]}],
        **job,
    }


# One job for each row that uses it and nothing else of the table.
USES: dict[Feature, dict[str, Any]] = {
    Feature.NATIVE_SERVICES: _job(group={"Services": [{"Name": "web", "Provider": "nomad"}]}),
    Feature.SERVICES_IN_TEMPLATES: _job(
        task={"Templates": [{"EmbeddedTmpl": '{{ range nomadService "db" }}{{ end }}'}]}
    ),
    Feature.VARIABLES: _job(task={"Templates": [{"EmbeddedTmpl": '{{ with nomadVar "nomad/jobs/web" }}{{ end }}'}]}),
    Feature.MISSING_KEY_ERROR: _job(task={"Templates": [{"EmbeddedTmpl": "", "ErrMissingKey": True}]}),
    Feature.NODE_POOLS: _job(NodePool="gpu"),
    Feature.RENDER_TEMPLATES: _job(group={"RestartPolicy": {"RenderTemplates": True}}),
    Feature.SEVERAL_SCHEDULES: _job(Periodic={"Specs": ["* * * * *", "5 * * * *"]}),
    Feature.VAULT_IDENTITY: _job(task={"Vault": {"Role": "web"}}),
    Feature.CONSUL_IDENTITY: _job(task={"Consul": {"Partition": "a"}}),
    Feature.ACTIONS: _job(task={"Actions": [{"Name": "dump", "Command": "dump"}]}),
    Feature.DISCONNECT: _job(group={"Disconnect": {"LostAfter": 1}}),
    Feature.UI: _job(UI={"Description": "x"}),
    Feature.CNI_ARGUMENTS: _job(group={"Networks": [{"CNI": {"Args": {"a": "b"}}}]}),
    Feature.IDENTITY_FILE_PATH: _job(task={"Identities": [{"Name": "x", "Filepath": "local/x.jwt"}]}),
    Feature.DYNAMIC_HOST_VOLUMES: _job(group={"Volumes": {"data": {"Type": "host", "Sticky": True}}}),
    Feature.TEMPLATE_ONCE: _job(task={"Templates": [{"EmbeddedTmpl": "", "Once": True}]}),
    Feature.SECRET_BLOCK: _job(task={"Secrets": [{"Name": "db", "Provider": "vault", "Path": "secret/data/db"}]}),
    Feature.SCHEDULE: _job(task={"Schedule": {"Cron": {}}}),
    Feature.VAULT_NAMESPACES: _job(task={"Vault": {"Namespace": "team-a"}}),
    Feature.NUMA: _job(task={"Resources": {"NUMA": {"Affinity": "require"}}}),
}
BOTH = {
    Feature.NATIVE_CHECKS: _job(task={"Services": [{"Name": "web", "Provider": "nomad", "Checks": [{"Type": "tcp"}]}]}),
    Feature.CONSUL_CLUSTERS: _job(group={"Consul": {"Cluster": "other"}}),
}
NOTHING = features("0.9.0")
ALL = features("99.0.0+ent")


@pytest.mark.parametrize("feature", USES)
def test_a_job_that_uses_a_feature_is_told_where_it_is_missing(feature: Feature) -> None:
    (found,) = missing(USES[feature], NOTHING)
    assert found.feature is feature and "0.9.0" in found.message and found.hint
    assert missing(USES[feature], ALL) == ()


@pytest.mark.parametrize("feature", BOTH)
def test_a_feature_on_top_of_another_is_told_too(feature: Feature) -> None:
    assert feature in {found.feature for found in missing(BOTH[feature], NOTHING)}
    assert missing(BOTH[feature], ALL) == ()


def test_every_row_has_a_job_that_uses_it() -> None:
    assert {row.feature for row in TABLE} == set(Feature) == USES.keys() | BOTH.keys()
    assert all(row.source for row in TABLE)


def test_a_plain_job_as_nomad_gives_it_back_uses_nothing() -> None:
    read_back = _job(
        group={"Services": [{"Provider": "consul", "Checks": [{"Type": "http"}]}], "Disconnect": None, "Consul": None,
               "RestartPolicy": {"RenderTemplates": False}, "Volumes": None},
        task={"Vault": {"Role": "", "Namespace": "", "Cluster": "default"}, "Secrets": None, "Actions": None,
              "Templates": [{"EmbeddedTmpl": '{{ key "a" }}', "Once": False, "ErrMissingKey": False}],
              "Resources": {"NUMA": None}, "Schedule": None},
        NodePool="default", UI=None, Periodic=None,
    )  # fmt: skip
    assert missing(read_back, NOTHING) == ()


@pytest.mark.parametrize(
    ("version", "client", "has", "lacks"),
    [
        ("2.0.5", "", {Feature.SECRET_BLOCK, Feature.TEMPLATE_ONCE}, {Feature.SCHEDULE, Feature.VAULT_NAMESPACES}),
        ("1.11.0-beta.1", "", {Feature.SECRET_BLOCK}, set()),
        ("1.10.1", "", {Feature.DYNAMIC_HOST_VOLUMES}, {Feature.TEMPLATE_ONCE, Feature.SECRET_BLOCK}),
        ("v1.8.0+ent", "", {Feature.SCHEDULE, Feature.DISCONNECT}, {Feature.CNI_ARGUMENTS}),
        ("2.0.5", "1.9.7", {Feature.IDENTITY_FILE_PATH}, {Feature.SECRET_BLOCK}),
    ],
)
def test_the_version_decides_and_the_oldest_client_with_it(
    version: str, client: str, has: set[Feature], lacks: set[Feature]
) -> None:
    found = features(version, oldest_client=client)
    assert found.there >= has and not found.there & lacks


@pytest.mark.parametrize("version", ["", "dev"])
def test_of_a_version_that_cannot_be_read_nothing_is_claimed(version: str) -> None:
    assert missing(USES[Feature.SECRET_BLOCK], features(version)) == ()


def test_the_oldest_nomad_that_is_supported_has_what_generated_jobs_may_always_use() -> None:
    always = {
        Feature.NATIVE_SERVICES, Feature.NATIVE_CHECKS, Feature.VARIABLES, Feature.MISSING_KEY_ERROR,
        Feature.VAULT_IDENTITY, Feature.CONSUL_IDENTITY, Feature.SERVICES_IN_TEMPLATES,
    }  # fmt: skip
    assert always <= features(OLDEST_NOMAD).there
    assert Feature.SECRET_BLOCK in features(TESTED_NOMAD[0]).there
