"""What the Docker driver refuses is told before a task fails by it."""

from __future__ import annotations

import pytest

from desired.docker_config import docker_warnings
from desired.job.hcl_read import read_job
from tests import recordings_reader


def job(config: str, driver: str = "docker") -> list[str]:
    text = f'job "web" {{\n group "g" {{\n task "t" {{\n driver = "{driver}"\n config {{\n{config}\n}}\n}}\n}}\n}}'
    return [one.message for one in docker_warnings(read_job(text))]


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('image = "a"\nprots = ["http"]', ["g/t/config: the Docker driver knows no `prots`; did you mean `ports`?"]),
        ('image = "a"\nports = "http"', ["g/t/config: `ports` is a list of texts, and one text was given"]),
        ('args = ["x"]', ["g/t/config: the Docker driver needs `image`"]),
        ('image = "a"\nauth {\n username = "x"\n}', []),
    ],
)
def test_a_wrong_key_is_named_with_what_was_meant(config: str, told: list[str]) -> None:
    assert job(config) == told


def test_other_drivers_are_not_judged() -> None:
    assert job('comand = "x"', driver="raw_exec") == []


def test_what_a_real_driver_refused_is_found_and_what_it_took_is_not() -> None:
    refused = recordings_reader.read("config-unknown-key").jobs.values()
    taken = recordings_reader.read("healthy-service").jobs.values()
    assert all([*docker_warnings(read_job(text))] for text in refused)
    assert not any([*docker_warnings(read_job(text))] for text in taken)
