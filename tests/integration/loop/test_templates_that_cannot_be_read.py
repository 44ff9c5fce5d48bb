"""A template that no client could read is not registered: it is mended before where a rule knows how, else refused."""

from __future__ import annotations

from desired.policy import Policy, Repair, RepairMode
from desired.reasons import Reason
from desired.template_examiner import TemplateExaminer
from reconcilers.decision import Condition, Truth
from tests.integration.loop.cluster import FAST, Cluster, job

TEMPLATE = """template {
        destination = "local/app.conf"
        data        = <<EOT
name = {{ env "NOMAD_JOB_NAME" | toUper }}
EOT
      }
    """


def _web(expression: str) -> str:
    head, found, tail = job(update=FAST).partition("resources {")
    return head + TEMPLATE.replace('{{ env "NOMAD_JOB_NAME" | toUper }}', expression) + found + tail


def _cluster() -> Cluster:
    return Cluster(examiners=[TemplateExaminer()])


def test_a_misspelled_function_is_mended_before_anything_is_registered() -> None:
    cluster = _cluster()
    cluster.commit(_web('{{ env "NOMAD_JOB_NAME" | toUper }}'))
    report = cluster.live("web", minutes=2)
    assert report.ready is Truth.TRUE and cluster.registers == 1
    (template,) = cluster.http("GET", "/v1/job/web")["TaskGroups"][0]["Tasks"][0]["Templates"]
    assert template["EmbeddedTmpl"] == 'name = {{ env "NOMAD_JOB_NAME" | toUpper }}\n'
    assert [str(one.operation.kind) for one in cluster.records.get(report.key).overlay] == ["template_syntax"]


def test_what_no_rule_can_mend_is_refused_at_its_line_and_what_ran_goes_on() -> None:
    cluster = _cluster()
    cluster.commit(_web("1"))
    assert cluster.live("web", minutes=2).ready is Truth.TRUE
    text = _web('{{ env "NOMAD_JOB_NAME" | capitalise_it }}')
    cluster.commit(text)
    report = cluster.live("web", minutes=2)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "capitalise_it" in one)
    assert report.reason == Reason.VALIDATION_FAILED and Condition.VALIDATION_FAILED in report.conditions
    assert f"web.nomad.hcl:{line}: " in report.message and "[template-syntax]" in report.message
    assert 'function "capitalise_it" not defined' in report.message
    assert cluster.registers == 1
    cluster.commit(_web('{{ env "NOMAD_JOB_NAME" }}'))
    assert cluster.live("web", minutes=2).ready is Truth.TRUE and cluster.registers == 2


def test_without_repairs_it_is_refused() -> None:
    cluster = _cluster()
    cluster.commit(_web('{{ env "NOMAD_JOB_NAME" | toUper }}'), policy=Policy(repair=Repair(mode=RepairMode.OFF)))
    report = cluster.live("web", minutes=2)
    assert (report.reason, cluster.registers) == (Reason.VALIDATION_FAILED, 0)
    assert "did you mean toUpper?" in report.message
