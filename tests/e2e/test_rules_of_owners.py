"""Rules of the cluster's owners, with the real process: beside the operator, and in the repository."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream


def rules(spec: str) -> str:
    return f"apiVersion: nomad-operator/v1\nkind: Policy\nspec: {{{spec}}}\n"


def test_what_the_rules_refuse_goes_through_once_the_file_is_mended_or_the_rules_are(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start, tmp_path: Path
) -> None:
    web, path = nomad.name("web"), tmp_path / "rules.yaml"
    path.write_text(rules("resources: {memory: 20}"))
    good, big = nomad.job_file(web), nomad.job_file(web, version="2").replace("memory = 10", "memory = 30")
    upstream.commit({"apps/web.nomad.hcl": big})
    process = operator(POLICY_FILE=str(path)).start()
    told = process.until_app(web, reason="PolicyViolation", settled=True)["message"]
    line = 1 + big[: big.index("memory")].count("\n")
    assert f"web.nomad.hcl:{line}:" in told and f"above the limit of 20, says {path}" in told
    assert "[resources.memory]" in told
    assert proxy.registers(web) == []
    upstream.commit({"apps/web.nomad.hcl": good})
    process.until_ready(web)
    # Nobody touches the app: other rules alone have it looked at.
    path.write_text(rules("resources: {memory: 5}"))
    process.until_app(web, reason="PolicyViolation")
    assert nomad.runs(web, "1")
    nomad.stop(web)
    until(lambda: "may not be registered any more" in process.app(web)["message"], what="the stop is told")
    assert nomad.job(web)["Stop"] and len(proxy.registers(web)) == 1
    path.write_text(rules("resources: {memory: 20}"))
    process.until_ready(web)
    assert nomad.runs(web, "1")


def test_rules_in_the_repository_hold_beside_those_of_the_file(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start, tmp_path: Path
) -> None:
    web, path = nomad.name("web"), tmp_path / "rules.yaml"
    path.write_text(rules("metaRequired: [owner]"))
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web), "apps/rules/own.yaml": rules("")})
    process = operator(POLICY_FILE=str(path)).start()
    assert "[metaRequired]" in process.until_app(web, reason="PolicyViolation")["message"]
    path.write_text(rules(""))
    process.until_ready(web)
    upstream.commit({"apps/rules/own.yaml": rules("drivers: [docker")})
    process.until_app(web, reason="PolicyViolation")
    assert {one["path"] for one in process.status()["sources"]} == {"rules/own.yaml"}
    upstream.commit({"apps/rules/own.yaml": rules("")})
    process.until_ready(web)
    assert len(proxy.registers(web)) == 1


def test_plan_and_once_hold_back_what_breaks_a_rule_and_rules_that_are_gone_allow_nothing(
    nomad: NomadSide, proxy: Proxy, upstream: Upstream, operator: Start, tmp_path: Path
) -> None:
    web, path = nomad.name("web"), tmp_path / "rules.yaml"
    upstream.commit({"apps/web.nomad.hcl": nomad.job_file(web)})
    process = operator(POLICY_FILE=str(path))
    plan = process.command("plan", "--json")
    [app] = json.loads(plan.stdout)["apps"]
    assert (plan.returncode, app["change"], app["reason"]) == (1, "blocked", "PolicyViolation")
    assert f"{path}: cannot be read: No such file or directory" in app["message"]
    once = process.command("once")
    assert once.returncode == 1 and "PolicyViolation" in once.stdout
    assert proxy.registers(web) == []
    path.write_text(rules("deny: [privileged], exempt: {'*': [deny.privileged]}"))
    assert process.command("once").returncode == 0
    assert nomad.runs(web)


def test_validate_names_the_rule_with_and_without_a_server(nomad: NomadSide, operator: Start, tmp_path: Path) -> None:
    web, folder = nomad.name("web"), tmp_path / "files"
    folder.mkdir()
    (folder / "web.nomad.hcl").write_text(nomad.job_file(web))
    (tmp_path / "rules.yaml").write_text(rules("resources: {memory: 5}, metaRequired: [owner], warn: [meta*]"))
    for more in ((), ("--server",)):
        done = operator().command("validate", str(folder), "--json", "--policy", str(tmp_path / "rules.yaml"), *more)
        found = json.loads(done.stdout)
        assert (done.returncode, [one["rule"] for one in found["problems"]]) == (1, ["resources.memory"]), done.stderr
        assert "metaRequired" in [one["rule"] for one in found["warnings"]]
