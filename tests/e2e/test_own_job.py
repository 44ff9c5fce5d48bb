"""The operator as the Nomad job in charts/: it works with the identity of its task alone, and leaves its own job be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.acl_side import AclSide
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

CHARTS = Path(__file__).parents[2] / "charts"
USER = 10001
APP = """job "{name}" {{
  group "g" {{
    task "t" {{
      driver = "raw_exec"
      config {{
        command = "sleep"
        args    = ["600"]
      }}
      resources {{
        cpu    = 10
        memory = 10
      }}
    }}
  }}
}}
"""


@pytest.fixture
def nomad() -> Iterator[AclSide]:
    address, token = os.environ.get("NOMAD_ACL_TEST_ADDR"), os.environ.get("NOMAD_ACL_TEST_TOKEN")
    if not address or not token or not os.environ.get("NOMAD_ACL_TEST_IMAGE") or os.geteuid():
        pytest.skip(
            "the operator as a Nomad job (NOMAD_ACL_TEST_ADDR, NOMAD_ACL_TEST_TOKEN, NOMAD_ACL_TEST_IMAGE: our image, "
            "in the Docker of that agent, which allows volumes; as root: the repository has to be the image's user's)"
        )
    side = AclSide(address, token)
    yield side
    side.close()


def own_job(nomad: AclSide, name: str, chart: str, repository: Path) -> Any:
    """The chart as it is, but for its name and a repository that is mounted."""
    text = (CHARTS / chart).read_text(encoding="utf-8").replace("nomad-operator/state", f"{name}/state")
    text = text.replace('job "nomad-operator"', f'job "{name}"').replace(
        "nomad/jobs/nomad-operator", f"nomad/jobs/{name}"
    )
    mounted = text.replace(
        "readonly_rootfs = true", f'readonly_rootfs = true\n        volumes = ["{repository}:/repo:ro"]'
    )
    assert mounted != text
    values = f'git_url = "/repo"\ngit_path = "apps"\nimage = "{os.environ["NOMAD_ACL_TEST_IMAGE"]}"\n'
    return nomad.call("POST", "/v1/jobs/parse", {"JobHCL": mounted, "Variables": values, "Canonicalize": False})


@pytest.mark.parametrize(
    ("chart", "policies"),
    [
        ("nomad-operator-single.nomad.hcl", ["policy.hcl"]),
        ("nomad-operator.nomad.hcl", ["policy.hcl", "policy-state.hcl"]),
    ],
)
def test_it_deploys_apps_with_the_policies_that_are_bound_to_its_job(
    nomad: AclSide, upstream: Upstream, chart: str, policies: list[str]
) -> None:
    name, app = f"{nomad.prefix}operator", f"{nomad.prefix}app"
    upstream.commit({"apps/app.nomad.hcl": APP.format(name=app)})
    for path in [upstream.folder, *upstream.folder.rglob("*")]:
        os.chown(path, USER, USER)
    for policy in policies:
        rules = (CHARTS / policy).read_text(encoding="utf-8").replace("nomad-operator/state", f"{name}/state")
        nomad.bind_policy(rules, job=name)
    nomad.call("PUT", f"/v1/var/nomad/jobs/{name}", {"Items": {"NOMAD_OPERATOR_LOG_LEVEL": "debug"}})
    try:
        nomad.call("POST", "/v1/jobs", {"Job": own_job(nomad, name, chart, upstream.folder)})

        def runs(job: str) -> bool:
            return any(one["ClientStatus"] == "running" for one in nomad.allocations(job))

        until(lambda: runs(name), within=60, what="the operator runs")
        until(lambda: nomad.call("GET", "/v1/jobs", prefix=app), within=60, what="the app is registered")
        until(lambda: runs(app), within=60, what="the app runs")
        (allocation,) = nomad.allocations(name)
        until(
            lambda: nomad.call("GET", f"/v1/job/{name}/deployment")["Status"] == "successful", within=60,
            what="its own check passes",
        )  # fmt: skip
        said = nomad.log(allocation["ID"], "operator")
        assert '"nomad": "unix:/secrets/api.sock"' in said and f"default/{app}" in said
        assert "Permission denied" not in said and "Traceback" not in said
        assert nomad.call("GET", f"/v1/job/{name}")["Version"] == 0, "nobody has written its own job since"
    finally:
        nomad.call("DELETE", f"/v1/var/nomad/jobs/{name}")
