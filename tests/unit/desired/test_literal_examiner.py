"""A secret that stands in a job is told by its place and name, never by its value."""

from __future__ import annotations

from typing import Any

import pytest

from desired.admission.judge import judge
from desired.admission.rules import Denied, PolicySpec
from desired.app import AppKey
from desired.job.hcl_places import locate
from desired.job.hcl_read import read_job
from desired.literal_examiner import LiteralExaminer, exposed
from desired.reasons import Reason

SECRET = "Hunter2Geheim"
TASK = ("group", "app", "task", "app")
FILE = """job "web" {
  meta { api_token = "%(secret)s" }
  group "app" {
    service {
      name = "web"
      check {
        type   = "http"
        header { Authorization = ["Bearer %(secret)s0123456789"] }
      }
    }
    task "app" {
      driver = "docker"
      config {
        image = "app:1"
        args  = ["--db-password", "%(secret)s"]
        auth { password = "%(secret)s" }
      }
      env {
        DB_PASSWORD = "%(secret)s"
        URL         = "postgres://app:%(secret)s@db/x"
      }
      artifact {
        source = "https://me:%(secret)s@files.example/x"
      }
      template {
        destination = "local/app.conf"
        data        = "password: %(secret)s"
      }
    }
  }
}
""" % {"secret": SECRET}  # noqa: UP031 - braces stand in the text


async def test_each_is_told_at_its_line_and_none_by_its_value() -> None:
    body = read_job(FILE)
    found = await LiteralExaminer().objections(AppKey("default", "web"), body)
    assert all(one.warning and one.lasting and one.reason is Reason.SECRET_EXPOSED for one in found)
    assert not [one for one in found if SECRET in one.message + one.fix + "".join(one.at)]
    places = {one.at for one in found}
    assert places == {
        ("meta", "api_token"),
        ("group", "app", "service", "web", "check", "0", "header", "Authorization"),
        (*TASK, "config", "args"), (*TASK, "config", "auth", "password"),
        (*TASK, "env", "DB_PASSWORD"), (*TASK, "env", "URL"), (*TASK, "artifact", "0"),
        (*TASK, "template", "0", "data"),
    }  # fmt: skip
    assert all(locate(FILE, at) is not None for at in places if "auth" not in at)


@pytest.mark.parametrize(
    "task",
    [
        {"Env": {"DB_PASSWORD": "${secret.db.pw}", "PASSWORD_FILE": "/run/pw", "URL": "http://db:5432/x"}},
        {"Templates": [{"EmbeddedTmpl": "PW={{ with secret \"kv/a\" }}{{ .Data.pw }}{{ end }}"}]},
        {"Config": {"image": "app:1", "args": ["--token-file", "/run/token", "--token", "${TOKEN}"]}},
        {"Vault": {"Role": "web"}, "Secrets": [{"Name": "db", "Path": "secret/data/web/db", "Provider": "vault"}]},
        {"Env": None, "Config": None, "Templates": None}, {"Env": {"A": None}, "Config": {"args": [None, 3]}},
    ],
)  # fmt: skip
def test_what_says_where_a_secret_is_is_none(task: dict[str, Any]) -> None:
    assert exposed({"ID": "web", "TaskGroups": [{"Name": "app", "Tasks": [{"Name": "app", **task}]}]}) == ()


def test_a_rule_of_the_cluster_refuses_what_is_only_told_otherwise() -> None:
    strict = PolicySpec(deny=[Denied.LITERAL_SECRETS])
    found = judge(AppKey("default", "web"), read_job(FILE), strict)
    assert {one.at for one in found} == {one.at for one in exposed(read_job(FILE))}
    assert {(one.rule, one.warning, one.reason) for one in found} == {
        ("deny.literalSecrets", False, Reason.POLICY_VIOLATION)
    }
    assert not [one for one in found if SECRET in one.message]
    assert judge(AppKey("default", "web"), read_job(FILE), PolicySpec()) == ()
