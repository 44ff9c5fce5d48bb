"""Secrets that a compose file mounts are asked about, once, whether a variable names them or not."""

from __future__ import annotations

from desired.conventions import Conventions
from desired.draft.secret_files import secret_files
from desired.facts.fact import Fact, Place
from desired.facts.facts import SecretFile

PLACE = Place("compose.yaml", 7)
MOUNTED = {
    "/run/secrets/db-password": Fact(SecretFile("db-password"), "compose", 0.7, PLACE),
    "/etc/api.key": Fact(SecretFile("api", "API_TOKEN"), "compose", 0.7, PLACE),
}


def test_a_mounted_secret_is_a_question_with_a_place_that_fits_its_name() -> None:
    asked = {one.id: one for one in secret_files("shop", {}, MOUNTED, Conventions())}
    assert list(asked) == ["files./run/secrets/db-password", "files./etc/api.key"]
    first, second = asked.values()
    assert "compose: compose.yaml:7" in first.text and first.choices == ("vault", "nomad", "consul", "none")
    assert first.default.startswith("vault: ") and second.default.startswith("vault: ")


def test_one_that_a_variable_names_is_asked_about_by_that_variable_alone() -> None:
    env = {"DB_PASSWORD_FILE": Fact("/run/secrets/db-password", "compose", 0.7, PLACE)}
    asked = [one.id for one in secret_files("shop", env, MOUNTED, Conventions())]
    assert asked == ["files./run/secrets/db-password", "files./etc/api.key"]


def test_a_name_that_says_nothing_has_no_suggestion() -> None:
    mounted = {"/run/secrets/blob": Fact(SecretFile("blob"), "compose", 0.7, PLACE)}
    assert [one.default for one in secret_files("shop", {}, mounted, Conventions())] == [""]
