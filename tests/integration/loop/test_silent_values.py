"""A task that gets an empty value without a word from Nomad: the app is healthy, and people are told all the same."""

from __future__ import annotations

from tests.integration.loop.cluster import FAST, Cluster, job

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
    variable = {"Namespace": "default", "Path": "nomad/jobs/web", "Items": {"password": "x9Kq27LmVv"}}
    cluster.http("PUT", "/v1/var/nomad/jobs/web", variable)
    return cluster


def test_it_is_told_when_the_job_is_registered_and_as_long_as_it_stands() -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword"))
    last = cluster.live("web", minutes=2)
    assert last.ready.value == "True"
    assert "nomad/jobs/web has no field pasword" in last.message
    assert "did you mean password?" in last.message
    assert "x9Kq27LmVv" not in last.message
    assert cluster.registers == 1


def test_nothing_is_told_of_a_field_that_is_there() -> None:
    cluster = _cluster()
    cluster.commit(_web("password"))
    assert "password" not in cluster.live("web", minutes=2).message


def test_once_the_field_is_written_it_is_told_no_more() -> None:
    cluster = _cluster()
    cluster.commit(_web("pasword"))
    assert "pasword" in cluster.live("web", minutes=2).message
    variable = {"Namespace": "default", "Path": "nomad/jobs/web", "Items": {"pasword": "x9Kq27LmVv"}}
    cluster.http("PUT", "/v1/var/nomad/jobs/web", variable)
    assert "pasword" not in cluster.live("web", minutes=2).message
