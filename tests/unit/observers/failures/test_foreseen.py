"""What a job will get wrong is named before it runs, in the classes and with the facts that it would have later."""

from __future__ import annotations

from typing import Any

import pytest

from desired.cause import Cause
from desired.secret_traps import Looked
from desired.variable_sources import Source
from observers.evidence import Cluster
from observers.failures.failure_class import FailureClass
from observers.failures.foreseen import foreseen, seen
from observers.look_up import LookedUp

PATH = "secret/data/web/db"
THERE = Looked(there=True, version=2, keys=("DB_PASSWORD",), mount="secret")


def job(field: str, **task: Any) -> dict[str, Any]:
    text = f'{{{{ with secret "{PATH}" }}}}A={{{{ {field} }}}}{{{{ end }}}}'
    whole = {"Name": "main", "Vault": {}, "Templates": [{"EmbeddedTmpl": text, "DestPath": "secrets/a.env"}], **task}
    return {"ID": "web", "TaskGroups": [{"Name": "web", "Tasks": [whole]}]}


@pytest.mark.parametrize(
    ("body", "looked", "named"),
    [
        (job(".Data.data.DB_PASSWORD"), THERE, []),
        (job(".Data.data.DB_PASWORD"), THERE, [FailureClass.SECRET_FIELD_MISSING]),
        (job(".Data.DB_PASSWORD"), THERE, [FailureClass.SECRET_FIELD_MISSING]),
        (job(".Data.data.DB_PASSWORD", Vault=None), THERE, [FailureClass.VAULT_BLOCK_MISSING]),
        # Nothing in the job could mend it, or nobody knows.
        (job(".Data.data.ELSEWHERE"), THERE, []),
        (job(".Data.data.DB_PASWORD"), Looked(version=2, forbidden=True, mount="secret"), []),
        (job(".Data.data.DB_PASWORD"), Looked(there=False, version=2, mount="secret"), []),
    ],
)
def test_only_what_the_job_could_mend_is_named(body: dict[str, Any], looked: Looked, named: list[FailureClass]) -> None:
    found = foreseen(body, seen(Cluster(), LookedUp({(Source.VAULT, PATH): looked})))
    assert [one.failure for one in found] == named
    assert all(one.cause is Cause.SPEC and one.conclusive and (one.group, one.task) == ("web", "main") for one in found)


def test_names_that_were_looked_up_join_those_that_are_known() -> None:
    looks = {
        (Source.VAULT, PATH): THERE,
        (Source.VAULT, "secret/data/web/x"): Looked(there=False, version=2, near=(PATH,), mount="secret"),
        (Source.NOMAD, "nomad/jobs/web"): Looked(there=True, keys=("token",)),
        (Source.CONSUL, "web/urll"): Looked(there=False, near=("web/url",)),
    }
    cluster = seen(Cluster(secret_paths=("secret/data/a",)), LookedUp(looks))
    assert cluster.secret_paths == ("secret/data/a", PATH)
    assert cluster.kv_versions == {"secret": 2} and cluster.secret_keys == {PATH: ("DB_PASSWORD",)}
    assert cluster.variable_keys == {"nomad/jobs/web": ("token",)} and cluster.consul_keys == ("web/url",)
