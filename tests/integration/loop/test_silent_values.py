"""A task that would get an empty value without a word from Nomad is not registered; a value that is awaited is told."""

from __future__ import annotations

import pytest

from desired.operations.operation import Kind
from desired.policy import Policy, Repair, RepairMode
from desired.reasons import Reason
from observers.vault.standing import Mount, Secret, Standing
from reconcilers.decision import Condition, Truth
from reconcilers.repair.guard import GuardSettings
from reconcilers.requests import Verb
from tests.integration.loop.cluster import FAST, Cluster, job, key

_TEMPLATE = """template {
        destination = "secrets/app.env"
        env         = true
        data        = <<EOT
{{ with nomadVar "nomad/jobs/web" }}PW={{ .pasword }}{{ end }}
EOT
      }
    """


def _web(field: str) -> str:
    text = job(update=FAST)
    head, found, tail = text.partition("resources {")
    assert found
    return head + _TEMPLATE.replace("pasword", field) + found + tail


def _cluster() -> Cluster:
    cluster = Cluster()
    _write(cluster, "password")
    return cluster


def _write(cluster: Cluster, field: str) -> None:
    variable = {"Namespace": "default", "Path": "nomad/jobs/web", "Items": {field: "x9Kq27LmVv"}}
    cluster.http("PUT", "/v1/var/nomad/jobs/web", variable)


def _template(cluster: Cluster) -> str:
    text: str = cluster.http("GET", "/v1/job/web")["TaskGroups"][0]["Tasks"][0]["Templates"][0]["EmbeddedTmpl"]
    return text


def _of_vault(fields: str) -> str:
    head, found, tail = _web("password").partition("resources {")
    text = head.replace('{{ with nomadVar "nomad/jobs/web" }}PW={{ .password }}{{ end }}',
                        '{{ with secret "secret/data/web/db" }}PW=' + fields + "{{ end }}")  # fmt: skip
    return f"{text}vault {{}}\n      {found}{tail}"


WITH_VAULT = """
nodes: [{name: node-1}]
vault: true
vault_paths: {secret/data/web/db: {password: x, user: y}}
"""


class Store:
    """A Vault with one secret."""

    async def look(self, path: str) -> Secret:
        mount = Mount("secret", "kv", version=2)
        if path != "secret/data/web/db":
            return Secret(path, Standing.MISSING, mount=mount)
        return Secret(path, Standing.PRESENT, mount=mount, keys=("password", "user"))

    async def paths_near(self, path: str) -> tuple[str, ...]:
        return ("secret/data/web/db",)


def test_it_is_refused_at_its_place_with_what_was_meant() -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword"))
    last = cluster.live("web", minutes=2)
    told = last.conditions[Condition.VALUE_MISSING].message
    assert (last.ready.value, cluster.registers) == ("False", 0)
    line = next(number for number, one in enumerate(_web("pasword").splitlines(), 1) if "<<EOT" in one)
    assert f"web.nomad.hcl:{line}:" in told
    assert "nomad/jobs/web has no field pasword" in told
    assert "did you mean password?" in told
    assert "x9Kq27LmVv" not in told + last.message


def test_the_right_name_is_proposed_before_anything_is_registered() -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword"))
    last = cluster.live("web", minutes=2)
    assert (last.reason, cluster.registers) == (Reason.AWAITING_APPROVAL, 0)
    cluster.ask("web", Verb.APPROVE)
    last = cluster.live("web", minutes=4)
    assert (last.ready.value, cluster.registers) == ("True", 1)
    assert ".password" in _template(cluster)
    (kept,) = cluster.records.get(key("web")).overlay
    assert kept.operation.kind is Kind.TEMPLATE_KEY


def test_what_a_person_turns_down_is_not_registered_either_until_the_field_is_there() -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword"))
    cluster.live("web", minutes=2)
    cluster.ask("web", Verb.REJECT)
    last = cluster.live("web", minutes=3)
    assert (last.ready.value, last.reason, cluster.registers) == ("False", Reason.VALUE_MISSING, 0)
    _write(cluster, "pasword")
    assert cluster.live("web", minutes=4).ready.value == "True"
    assert ".pasword" in _template(cluster)


def test_the_field_may_be_written_while_its_repair_waits() -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword"))
    assert cluster.live("web", minutes=2).reason == Reason.AWAITING_APPROVAL
    _write(cluster, "pasword")
    last = cluster.live("web", minutes=4)
    record = cluster.records.get(key("web"))
    assert (last.ready.value, cluster.registers, record.episode, record.failed) == ("True", 1, None, ())
    assert ".pasword" in _template(cluster)


@pytest.mark.parametrize(
    "policy", [Policy(repair=Repair(mode=RepairMode.OFF)), Policy()], ids=["no repairs", "nothing near"]
)
def test_without_a_repair_it_is_only_refused(policy: Policy) -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword" if policy.repair.mode is RepairMode.OFF else "elsewhere"), policy=policy)
    last = cluster.live("web", minutes=3)
    assert (last.ready.value, last.reason, cluster.registers) == ("False", Reason.VALUE_MISSING, 0)


def test_the_version_before_goes_on() -> None:
    cluster = _cluster()
    cluster.commit(_web("password"))
    assert cluster.live("web", minutes=2).ready.value == "True"
    cluster.commit(_web("pasword"))
    last = cluster.live("web", minutes=2)
    assert (last.ready.value, last.reason, cluster.registers) == ("False", Reason.AWAITING_APPROVAL, 1)
    assert cluster.http("GET", "/v1/job/web")["Status"] == "running"
    cluster.http("DELETE", "/v1/job/web")
    cluster.live("web", minutes=2)
    assert ".password" in _template(cluster)


def test_the_shape_of_a_secret_is_mended_before_it_is_registered() -> None:
    """Nothing else can be meant: it needs no approval."""
    cluster = Cluster(world=WITH_VAULT, vault=Store())
    cluster.commit(_of_vault("{{ .Data.password }}"))
    last = cluster.live("web", minutes=4)
    assert (last.ready.value, cluster.registers) == ("True", 1)
    assert ".Data.data.password" in _template(cluster)


def test_two_names_in_one_task_are_mended_one_after_the_other() -> None:
    cluster = Cluster(world=WITH_VAULT, vault=Store(), guard=GuardSettings(widened=frozenset(Kind)))
    cluster.commit(_of_vault("{{ .Data.data.pasword }} {{ .Data.data.usser }}"))
    last = cluster.live("web", minutes=4)
    assert (last.ready.value, cluster.registers) == ("True", 1)
    assert ".password" in _template(cluster) and ".user" in _template(cluster)


def test_nothing_is_told_of_a_field_that_is_there() -> None:
    cluster = _cluster()
    cluster.commit(_web("password"))
    assert "password" not in cluster.live("web", minutes=2).message


def test_once_the_field_is_written_it_is_registered_without_a_commit() -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword"))
    assert cluster.live("web", minutes=2).ready.value == "False"
    _write(cluster, "pasword")
    last = cluster.live("web", minutes=3)
    assert (last.ready.value, cluster.registers) == ("True", 1)
    assert "pasword" not in last.message


def test_what_ran_well_before_the_field_was_taken_away_goes_on_and_is_told() -> None:
    cluster = _cluster()
    cluster.commit(_web("password"))
    assert cluster.live("web", minutes=2).ready.value == "True"
    _write(cluster, "user")
    cluster.restart()
    last = cluster.live("web", minutes=2)
    assert (last.ready.value, cluster.registers) == ("True", 1)
    assert "has no field password" in last.conditions[Condition.VALUE_MISSING].message


def test_a_variable_that_nobody_has_written_yet_holds_nothing_back() -> None:
    cluster = Cluster()
    cluster.commit(_web("password"))
    cluster.passes("web")
    assert cluster.registers == 1


def test_a_path_of_vault_that_is_awaited_is_repaired_once_it_has_failed() -> None:
    """It may be written any moment: the job is registered, and the name that Vault lists waits for approval."""
    cluster = Cluster(world=WITH_VAULT, vault=Store())
    cluster.commit(_of_vault("{{ .Data.data.password }}").replace("web/db", "wbe/db"))
    cluster.passes("web")
    assert cluster.registers == 1
    last = cluster.live("web", minutes=3)
    assert last.reason == Reason.AWAITING_APPROVAL, last.message
    cluster.ask("web", Verb.APPROVE)
    assert cluster.live("web", minutes=4).ready.value == "True"
    assert "secret/data/web/db" in _template(cluster) and "wbe" not in _template(cluster)


def test_a_secret_block_without_its_engine_is_mended_before_it_hands_over_its_own_text() -> None:
    cluster = Cluster(world=WITH_VAULT, vault=Store())
    head, found, tail = job(update=FAST).partition("resources {")
    assert found and "env {" in head
    block = 'vault {}\n      secret "db" {\n        provider = "vault"\n        path = "secret/data/web/db"\n      }\n'
    head = head.replace("env {", 'env {\n        PW = "${secret.db.password}"', 1)
    cluster.commit(f"{head}{block}      {found}{tail}")
    assert cluster.live("web", minutes=2).ready is Truth.TRUE
    (secret,) = cluster.http("GET", "/v1/job/web")["TaskGroups"][0]["Tasks"][0]["Secrets"]
    assert secret["Config"] == {"engine": "kv_v2"} and cluster.registers == 1
