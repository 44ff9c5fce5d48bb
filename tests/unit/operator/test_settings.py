"""Settings: environment over `.env` over defaults, every problem at once, no secret anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import UsageError
from nomad_operator.settings import PREFIX, Settings
from nomad_operator.settings_load import Loaded, load
from nomad_operator.settings_show import MASK, rows
from reconcilers.situation import Mode

SECRET = "hunter2-hunter2-hunter2"
Load = Callable[..., Loaded]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Loads with these variables and these lines in `.env`."""

    def with_(*env_lines: str, required: tuple[str, ...] = (), **environment: str) -> Loaded:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        file = tmp_path / ".env"
        file.write_text("\n".join(env_lines))
        return load(env_file=file, required=required)

    return with_


def test_without_anything_set_every_value_is_its_default(loaded: Load) -> None:
    found = loaded()
    assert found.settings == Settings()
    assert set(found.origins.values()) == {"default"}


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(loaded: Load) -> None:
    found = loaded(
        "NOMAD_OPERATOR_RESYNC_SECONDS=60", "NOMAD_OPERATOR_CONCURRENCY=3", NOMAD_OPERATOR_RESYNC_SECONDS="90"
    )
    assert found.settings.resync == timedelta(seconds=90)
    assert found.settings.concurrency == 3
    origins = {field: found.origins[field] for field in ("resync", "concurrency", "prune")}
    assert origins == {"resync": "environment", "concurrency": ".env", "prune": "default"}


def test_a_blank_value_counts_as_not_set(loaded: Load) -> None:
    found = loaded(
        "NOMAD_OPERATOR_CONCURRENCY=3", "NOMAD_TOKEN=", NOMAD_OPERATOR_CONCURRENCY="", NOMAD_OPERATOR_PRUNE="  "
    )
    assert (found.settings.concurrency, found.settings.prune, found.settings.nomad_token) == (3, True, None)
    assert (found.origins["concurrency"], found.origins["prune"]) == (".env", "default")


def test_all_problems_are_told_at_once(loaded: Load) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(
            "NOMAD_OPERATOR_PRUNE=maybe",
            required=("git_url",),
            NOMAD_OPERATOR_MODE="akt",
            NOMAD_OPERATOR_RESYNC_SECONDS="5m",
            NOMAD_OPERATOR_CONCURRENCY="99",
            NOMAD_OPERATOR_GIT_POL_SECONDS="3",
            NOMAD_OPERATOR_LISTEN="9650",
            NOMAD_OPERATOR_STATE_URL="nomad://jobs.state",
            NOMAD_ADDR="nomad.example",
            NOMAD_CLIENT_CERT="cert.pem",
        )
    lines = caught.value.message.splitlines()
    names = {line.split()[0].split("=")[0].rstrip(":") for line in lines}
    assert names == {
        "NOMAD_OPERATOR_PRUNE", "NOMAD_OPERATOR_MODE", "NOMAD_OPERATOR_RESYNC_SECONDS", "NOMAD_OPERATOR_CONCURRENCY",
        "NOMAD_OPERATOR_GIT_POL_SECONDS", "NOMAD_OPERATOR_LISTEN", "NOMAD_OPERATOR_STATE_URL", "NOMAD_ADDR",
        "NOMAD_CLIENT_CERT", "NOMAD_OPERATOR_GIT_URL",
    }  # fmt: skip
    assert "did you mean NOMAD_OPERATOR_GIT_POLL_SECONDS?" in caught.value.message
    assert caught.value.exit_code == 2


@given(value=st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1))
def test_any_text_for_a_duration_is_a_duration_in_range_or_a_told_problem(value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOMAD_OPERATOR_GIT_POLL_SECONDS", value)
        try:
            found = load(env_file=None).settings.git_poll
        except UsageError as error:
            assert "NOMAD_OPERATOR_GIT_POLL_SECONDS" in error.message
        else:
            assert timedelta(seconds=1) <= found <= timedelta(days=1)


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "0", "1e400", "86401"])
def test_a_duration_that_makes_no_sense_is_refused(loaded: Load, value: str) -> None:
    with pytest.raises(UsageError, match="NOMAD_OPERATOR_GIT_POLL_SECONDS"):
        loaded(NOMAD_OPERATOR_GIT_POLL_SECONDS=value)


def test_no_secret_is_shown_by_anything(loaded: Load) -> None:
    found = loaded(
        f"NOMAD_OPERATOR_GIT_TOKEN={SECRET}",
        NOMAD_TOKEN=SECRET,
        NOMAD_OPERATOR_API_TOKEN=SECRET,
        NOMAD_OPERATOR_WEBHOOK_SECRET=SECRET,
    )
    shown = json.dumps(rows(found)) + repr(found) + str(found.settings) + str(found.settings.model_dump())
    assert SECRET not in shown
    assert [row["value"] for row in rows(found)].count(MASK) == 4


@pytest.mark.parametrize(
    "environment",
    [
        {"NOMAD_ADDR": "https://me:hunter2@nomad.example:4646"},
        {"NOMAD_ADDR": "https://me:hunter2@nomad.example:portless"},
        {"NOMAD_OPERATOR_GIT_URL": "https://me:hunter2@git.example/apps.git?depth=1"},
        {"NOMAD_OPERATOR_GIT_URL": "ssh://git:hunter2@git.example/apps.git"},
    ],
)
def test_no_problem_shows_the_secret_in_the_value_it_is_about(loaded: Load, environment: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        loaded(**environment)
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert next(iter(environment)) in caught.value.message


def test_credentials_leave_the_git_url(loaded: Load) -> None:
    found = loaded(NOMAD_OPERATOR_GIT_URL="https://me:hunter2%40x@git.example/apps.git")
    settings = found.settings
    assert settings.git_url == "https://git.example/apps.git"
    assert settings.git_username == "me"
    assert settings.git_token is not None
    assert settings.git_token.get_secret_value() == "hunter2@x"
    assert found.origins["git_token"] == "environment"


def test_a_token_of_its_own_wins_over_the_one_in_the_git_url(loaded: Load) -> None:
    settings = loaded(
        NOMAD_OPERATOR_GIT_URL="https://me:old@git.example/apps.git", NOMAD_OPERATOR_GIT_TOKEN="new"
    ).settings
    assert settings.git_token is not None
    assert (settings.git_username, settings.git_token.get_secret_value()) == ("me", "new")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/lib/operator/state.db", "/var/lib/operator/state.db"),
        ("sqlite:////var/lib/operator/state.db", "/var/lib/operator/state.db"),
        ("sqlite:///var/with%20space.db", "/var/with space.db"),
    ],
)
def test_a_state_url_names_a_file(url: str, path: str) -> None:
    assert Settings(state_url=url).state_file == Path(path)


def test_a_state_url_may_be_relative_or_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings(state_url="sqlite:///./state.db").state_file == tmp_path / "state.db"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(state_url="sqlite:///~/state.db").state_file == tmp_path / "state.db"


def test_without_a_state_url_the_state_is_in_the_xdg_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Settings().state_file == tmp_path / "nomad-operator" / "state.db"
    assert Settings().token_file == tmp_path / "nomad-operator" / "api-token"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings().state_file == tmp_path / ".local/state/nomad-operator/state.db"


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:9650", "http://127.0.0.1:9650"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        (":9650", "http://127.0.0.1:9650"),
        ("[::]:9650", "http://[::1]:9650"),
        ("[::1]:1", "http://[::1]:1"),
    ],
)
def test_the_commands_ask_the_daemon_where_it_listens(listen: str, address: str) -> None:
    assert Settings(listen=listen).daemon_addr == address
    assert Settings(listen=listen, addr="https://operator.example").daemon_addr == "https://operator.example"


def test_nomads_own_forms_of_an_address_are_taken(loaded: Load) -> None:
    assert loaded(NOMAD_ADDR="unix:///run/nomad.sock").settings.nomad_addr == "unix:///run/nomad.sock"
    assert loaded(NOMAD_ADDR="10.0.0.1:4646").settings.nomad_addr == "http://10.0.0.1:4646"
    assert loaded(NOMAD_ADDR="https://nomad.example:4646/").settings.nomad_addr == "https://nomad.example:4646"


def test_a_line_break_after_a_secret_is_no_part_of_it(loaded: Load) -> None:
    token = loaded(NOMAD_TOKEN="abc\n").settings.nomad_token
    assert token is not None
    assert token.get_secret_value() == "abc"


def test_words_are_taken_in_any_case(loaded: Load) -> None:
    assert loaded(NOMAD_OPERATOR_MODE="Observe").settings.mode is Mode.OBSERVE


def test_namespaces_are_a_list(loaded: Load) -> None:
    assert loaded(NOMAD_OPERATOR_NAMESPACES="web, batch,").settings.namespaces == ("web", "batch")


@pytest.mark.parametrize(
    ("names", "told"), [(",", "names no namespace"), ("a b", "names 'a b'"), ("a,b/c", "names 'b/c'"), ("a,*x", "'*x'")]
)
def test_what_can_be_no_namespace_is_refused(loaded: Load, names: str, told: str) -> None:
    with pytest.raises(UsageError, match="NOMAD_OPERATOR_NAMESPACES=") as error:
        loaded(NOMAD_OPERATOR_NAMESPACES=names)
    assert told in error.value.message


def test_every_setting_is_explained() -> None:
    for row in rows(Loaded(Settings(), dict.fromkeys(Settings.model_fields, "default"))):
        assert row["name"].startswith(
            (PREFIX, "NOMAD_", "VAULT_", "CONSUL_", "QDRANT_", "LANGFUSE_", "OPENAI_", "DOCKER_")
        )
        assert row["meaning"].endswith(".")
        assert row["allowed"] or isinstance(row["default"], str), row["name"]


def test_a_file_that_cannot_be_read_as_text_is_a_told_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"NOMAD_TOKEN=\xff\xfe")
    with pytest.raises(UsageError, match=r"\.env cannot be read"):
        load(env_file=tmp_path / ".env")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("NOMAD_NAMESPACE", "a b", "is no namespace"),
        ("NOMAD_NAMESPACE", "*", "is no namespace"),
        (f"{PREFIX}GIT_PATH", "../..", "is no folder inside the repository"),
        (f"{PREFIX}GIT_PATH", "/apps", "is no folder inside the repository"),
        (f"{PREFIX}GIT_REF", "--upload-pack=x", "cannot be a git branch"),
        (f"{PREFIX}GIT_REF", "a b", "cannot be a git branch"),
        ("NOMAD_TOKEN_FILE", "/no/such", "cannot be read: no such file"),
        ("NOMAD_CACERT", "/", "cannot be read: is a directory"),
        (f"{PREFIX}GIT_TOKEN_FILE", "/no/such", "cannot be read: no such file"),
        (f"{PREFIX}GIT_TOKEN_FILE", "~no-such-user-here/x", "names the home of a user who is not known"),
    ],
)
def test_what_can_never_work_is_told_at_the_start_beside_all_else(
    loaded: Load, name: str, value: str, told: str
) -> None:
    with pytest.raises(UsageError) as raised:
        loaded(NOMAD_OPERATOR_CONCURRENCY="many", **{name: value})
    first, second = sorted(raised.value.message.splitlines(), key=lambda line: line.startswith(name))
    assert first.startswith("NOMAD_OPERATOR_CONCURRENCY=many")
    assert second.startswith(f"{name}={value} {told}")


def test_what_the_operator_writes_itself_need_not_be_there(loaded: Load, tmp_path: Path) -> None:
    absent = str(tmp_path / "api-token")
    assert str(loaded(NOMAD_OPERATOR_API_TOKEN_FILE=absent).settings.api_token_file) == absent


def test_a_line_of_the_file_that_sets_nothing_is_told_without_the_line(loaded: Load) -> None:
    with pytest.raises(UsageError) as raised:
        loaded("# ours", f"NOMAD_TOKEN {SECRET}", "NOMAD_OPERATOR_PRUNE", "OF_ANOTHER_PROGRAM", "NOMAD_REGION=eu")
    first, second = raised.value.message.splitlines()
    assert first.endswith(".env:2 is not NAME=value")
    assert second.endswith(".env:3 gives NOMAD_OPERATOR_PRUNE no value: write NOMAD_OPERATOR_PRUNE=value")
    assert SECRET not in raised.value.message


def test_a_value_of_the_file_may_name_another(loaded: Load) -> None:
    assert loaded("BASE=/srv/a", "NOMAD_REGION=${BASE}/b").settings.nomad_region == "/srv/a/b"


def test_addresses_that_are_told_are_masked_and_a_wrong_one_is_told_without_it(loaded: Load, tmp_path: Path) -> None:
    found = loaded(NOMAD_OPERATOR_NOTIFY_URLS=f"slack+https://hooks.example/{SECRET}")
    assert SECRET not in json.dumps(rows(found)) + repr(found) + str(found.settings.model_dump())
    template = tmp_path / "news.j2"
    template.write_text("{{ oops }}")
    with pytest.raises(UsageError) as caught:
        loaded(
            NOMAD_OPERATOR_NOTIFY_URLS=f"https://a.example,{SECRET}",
            NOMAD_OPERATOR_NOTIFY_ON="ready,lunch",
            NOMAD_OPERATOR_NOTIFY_TEMPLATE_FILE=str(template),
        )
    lines = caught.value.message.splitlines()
    assert len(lines) == 3 and SECRET not in caught.value.message
    assert any("NOTIFY_URLS entry 2 does not start with" in line for line in lines)
    assert any("names no kind of news: lunch" in line for line in lines)
    assert any("cannot be used: 'oops' is undefined" in line for line in lines)


def test_what_is_told_is_all_or_what_is_named(loaded: Load) -> None:
    shown = {row["name"]: row["value"] for row in rows(loaded())}
    assert shown["NOMAD_OPERATOR_NOTIFY_ON"] == "all"
    found = loaded(NOMAD_OPERATOR_NOTIFY_ON=" Ready, approval_needed")
    assert sorted(found.settings.notify_on) == ["approval_needed", "ready"]
    assert {row["name"]: row["value"] for row in rows(found)}["NOMAD_OPERATOR_NOTIFY_ON"] == "approval_needed,ready"
