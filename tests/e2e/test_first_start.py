"""The first start on a cluster that has jobs: nothing is remembered, and no memory was lost."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.proxy import Proxy
from tests.integration.git.git_world import Upstream


@pytest.mark.parametrize("adopt", ["ask", "always"])
def test_a_batch_job_asks_beside_jobs_that_run_plan_says_the_same_and_a_setting_answers_for_all(
    adopt: str, nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start
) -> None:
    web, load = nomad.name("web"), nomad.name("load")
    nomad.register(nomad.job_file(web))
    nomad.until_running(web)
    upstream.commit({
        "apps/web.nomad.hcl": nomad.job_file(web),
        "apps/load.nomad.hcl": nomad.job_file(load, task="done", type="batch"),
    })  # fmt: skip
    process = operator(ADOPT=adopt)
    planned = process.command("plan")
    process.start()
    process.until_ready(web)
    if adopt == "always":
        assert planned.returncode == 3 and "creating the job" in planned.stdout, planned.stdout
        process.until_app(load, reason="Completed")
        return
    asked = process.until_app(load, reason="AdoptionRequired")
    assert "first start" in asked["message"] and "NOMAD_OPERATOR_ADOPT=always" in asked["message"]
    assert asked["message"] in planned.stdout
    assert nomad.job(load) is None
    assert process.command("adopt", load).returncode == 0
    process.until_app(load, reason="Completed")
