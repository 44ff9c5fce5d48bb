"""Doctor's questions to the services beside Nomad: what is asked, what is told, and what fails the command."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from desired.conventions import Conventions
from desired.errors import Forbidden, OperatorError, Unavailable
from nomad_operator.doctor import Finding
from nomad_operator.probes.attempt import Attempt
from nomad_operator.probes.consul import probe_consul
from nomad_operator.probes.fabio import probe_fabio
from nomad_operator.probes.json_api import JsonApi
from nomad_operator.probes.plain_services import probe_langfuse, probe_model, probe_qdrant
from nomad_operator.probes.services import probe_services
from nomad_operator.probes.vault import probe_vault
from nomad_operator.settings import Settings
from observers.consul.catalog import Agent
from observers.fabio.client import Route
from observers.reach.address import Reach
from observers.vault.standing import Health, Mount, TokenFacts
from prompts.model.dialect import Form
from prompts.model.question import Question, Reply
from tests.doubles.model_endpoint import Line, model_endpoint, refusing, silence, text
from tests.doubles.model_endpoint import answer as model_answer
from tests.unit.observers.nomad_stub import Exchange, Stub, serve

SERVICES = ("consul", "vault", "fabio", "qdrant", "langfuse", "model")


def _attempt(service: str = "vault", timeout: float = 5) -> Attempt:
    ticks = itertools.count()
    return Attempt(service=service, address="http://there", timeout_seconds=timeout, clock=lambda: float(next(ticks)))


def _by_name(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.name.rpartition(": ")[2]: finding for finding in findings}


class FakeVault:
    """`may` are the token's rights by path, for paths that are not named everything."""

    def __init__(
        self, *, health: Health | None = None, may: Mapping[str, set[str]] | None = None, **raises: OperatorError
    ) -> None:
        self._health = health or Health("1.20.0", sealed=False, initialized=True, standby=False)
        self._may = may or {}
        self._raises = raises

    def _check(self, call: str) -> None:
        if call in self._raises:
            raise self._raises[call]

    async def health(self) -> Health:
        self._check("health")
        return self._health

    async def token(self) -> TokenFacts:
        self._check("token")
        return TokenFacts(("default", "operator"), 1200, renewable=True)

    async def mounts(self) -> Sequence[Mount]:
        self._check("mounts")
        return [Mount("cubbyhole", "cubbyhole"), Mount("kv", "kv", version=1), Mount("secret", "kv", version=2)]

    async def capabilities(self, paths: Collection[str]) -> Mapping[str, frozenset[str]]:
        rights: set[str] = {"read", "list"}
        return {
            path: frozenset(next((may for part, may in self._may.items() if part in path), rights)) for path in paths
        }


async def test_a_vault_that_answers_tells_version_token_and_rights() -> None:
    findings = _by_name(await probe_vault(FakeVault(may={"/data/": set()}), _attempt(), login=True))
    assert all(finding.ok for finding in findings.values())
    assert (findings["vault"].found, findings["vault"].version) == ("Vault 1.20.0", "1.20.0")
    assert findings["token"].found == "good, 1200 s left, renewable; policies: default, operator"
    assert findings["names of secrets"].found.startswith("yes, in kv, secret")


async def test_what_the_policy_lacks_is_told_with_the_policy_to_write() -> None:
    vault = FakeVault(may={"secret/subkeys": set(), "secret/metadata": {"read"}})
    finding = _by_name(await probe_vault(vault, _attempt(), login=True))["names of secrets"]
    assert finding.ok is False and not finding.failed
    assert finding.found == "the token lacks: secret/metadata/*/ (list), secret/subkeys/* (read)"
    assert 'path "secret/subkeys/*" { capabilities = ["read"] }' in finding.hint
    assert "kv" not in finding.hint


async def test_a_token_that_may_read_values_is_told_so() -> None:
    finding = _by_name(await probe_vault(FakeVault(), _attempt(), login=True))["names of secrets"]
    assert finding.ok and "may read values in kv, secret, which is never done" in finding.found


@pytest.mark.parametrize(
    ("health", "words", "hint"),
    [
        (Health("1.20.0", sealed=True, initialized=True, standby=False), "is sealed", "unseal"),
        (Health("", sealed=True, initialized=False, standby=False), "is not initialized", "init"),
    ],
)
async def test_a_vault_that_cannot_work_is_one_problem(health: Health, words: str, hint: str) -> None:
    vault = FakeVault(health=health, token=Unavailable("sealed"), mounts=Unavailable("sealed"))
    findings = await probe_vault(vault, _attempt(), login=True)
    assert [finding.ok for finding in findings] == [False, None, None]
    assert words in findings[0].found and hint in findings[0].hint


async def test_without_a_token_only_health_is_asked_for_and_nothing_fails() -> None:
    findings = await probe_vault(FakeVault(token=Forbidden("no"), mounts=Forbidden("no")), _attempt(), login=False)
    assert [(finding.ok, finding.failed) for finding in findings] == [(True, False), (None, False)]


class FakeConsul:
    """Answers unless told to raise."""

    def __init__(
        self, *, leader: str = "10.0.0.1:8300", services: Mapping[str, Sequence[str]] | None = None,
        problems: Sequence[str] = (), **raises: OperatorError,
    ) -> None:  # fmt: skip
        self._leader, self._problems, self._raises = leader, problems, raises
        self._services = {"consul": ()} if services is None else services

    def _check(self, call: str) -> None:
        if call in self._raises:
            raise self._raises[call]

    async def agent(self) -> Agent:
        self._check("agent")
        return Agent("1.21.4", "dc1")

    async def leader(self) -> str:
        self._check("leader")
        return self._leader

    async def policies(self) -> Sequence[str] | None:
        self._check("policies")
        return ("reader",)

    async def services(self) -> Mapping[str, Sequence[str]]:
        self._check("services")
        return self._services

    async def conventions(self) -> tuple[Conventions, Sequence[str]]:
        self._check("conventions")
        return Conventions(), self._problems


async def test_a_consul_that_answers_tells_all() -> None:
    findings = _by_name(await probe_consul(FakeConsul(), _attempt("consul"), token=True))
    assert list(findings) == ["consul", "token", "services", "conventions"]
    assert all(finding.ok for finding in findings.values())
    assert findings["consul"].version == "1.21.4"


async def test_a_consul_without_a_leader_is_one_problem() -> None:
    findings = await probe_consul(FakeConsul(leader="", services={}), _attempt("consul"), token=False)
    assert [finding.ok for finding in findings] == [False, None, True]


async def test_an_agent_that_hides_its_version_is_well_all_the_same() -> None:
    findings = await probe_consul(FakeConsul(agent=Forbidden("no")), _attempt("consul"), token=True)
    assert findings[0].ok and findings[0].version == ""


async def test_conventions_with_mistakes_are_told_and_fail_nothing() -> None:
    consul = FakeConsul(problems=["fabio.default_port is not a port"])
    finding = _by_name(await probe_consul(consul, _attempt("consul"), token=False))["conventions"]
    assert (finding.ok, finding.failed, finding.found) == (False, False, "fabio.default_port is not a port")


async def test_a_token_that_sees_no_service_is_told_which_policy_it_needs() -> None:
    finding = _by_name(await probe_consul(FakeConsul(services={}), _attempt("consul"), token=True))["services"]
    assert finding.failed and "service_prefix" in finding.hint


class FakeFabio:
    """One route."""

    async def version(self) -> str:
        return "1.7.3"

    async def routes(self) -> Sequence[Route]:
        return [Route("web", "web.cluster", "/", "http://10.0.0.1:80/")]


@pytest.mark.parametrize(
    ("tags", "ok", "failed", "words"),
    [
        (["urlprefix-web.cluster/"], True, False, "every tag"),
        (["urlprefix-"], False, True, "service web, tag 'urlprefix-'"),
        (["urlprefix-web.cluster"], False, False, "without a slash"),
    ],
)
async def test_a_tag_that_stops_fabio_is_named(tags: list[str], ok: bool, failed: bool, words: str) -> None:
    findings = _by_name(await probe_fabio(FakeFabio(), _attempt("fabio"), consul=FakeConsul(services={"web": tags})))
    assert findings["routes"].found == "1 routes of 1 services"
    assert (findings["tags"].ok, findings["tags"].failed) == (ok, failed)
    assert words in findings["tags"].found


async def test_without_consul_nothing_is_said_of_tags() -> None:
    assert len(await probe_fabio(FakeFabio(), _attempt("fabio"), consul=None)) == 2


Answers = Mapping[str, tuple[int, Any]]


def _api(answers: Answers, **headers: str) -> JsonApi:
    def answer(request: httpx.Request) -> httpx.Response:
        status, body = answers.get(request.url.path, (404, {}))
        return httpx.Response(status, text=body if isinstance(body, str) else json.dumps(body))

    reach = Reach(service="It", setting="IT_URL", address="http://it")
    return JsonApi(reach=reach, headers=headers, credentials="IT_KEY", transport=httpx.MockTransport(answer))


QDRANT: Answers = {
    "/": (200, {"title": "qdrant - vector search engine", "version": "1.15.0"}),
    "/collections": (200, {"result": {"collections": [{"name": "a"}]}}),
}
LANGFUSE: Answers = {
    "/api/public/health": (200, {"status": "OK", "version": "3.1.0"}),
    "/api/public/projects": (200, {"data": [{"name": "fixes"}]}),
    "/api/public/v2/prompts": (200, {"data": [{"name": "repair"}, {"name": "somebody else's"}], "meta": {}}),
}
MODEL: Answers = {"/models": (200, {"data": [{"id": f"qwen-{number}"} for number in range(7)]})}


async def _langfuse(api: JsonApi, attempt: Attempt) -> list[Finding]:
    return await probe_langfuse(api, attempt, keys=True, names=("repair", "facts"))


class FakeModel:
    """Answers by JSON schema, or raises."""

    def __init__(self, error: OperatorError | None = None) -> None:
        self._error = error

    async def ask_and_tell(self, question: Question) -> tuple[Reply, Form]:
        if self._error is not None:
            raise self._error
        return Reply({"word": "nomad", "number": 7}, "qwen-0", 100, 20, 1.2), Form.SCHEMA


async def _model(api: JsonApi, attempt: Attempt) -> list[Finding]:
    return await probe_model(api, attempt, model=FakeModel())


async def _silent_model(api: JsonApi, attempt: Attempt) -> list[Finding]:
    return await probe_model(api, attempt, model=FakeModel(Unavailable("it answers nothing", hint="look")))


@pytest.mark.parametrize(
    ("probe", "answers", "words"),
    [
        (probe_qdrant, QDRANT, ["Qdrant 1.15.0", "yes (1 collections)"]),
        (
            _langfuse,
            LANGFUSE,
            [
                "Langfuse 3.1.0",
                "good; project fixes",
                "1 of 2 are there as production; for the others the files are used",
            ],
        ),
        (
            _model,
            MODEL,
            [
                "models: qwen-0, qwen-1, qwen-2, qwen-3, qwen-4 and 2 more",
                "qwen-0 answers by JSON schema (1.2 s, 120 tokens)",
            ],
        ),
    ],
)
async def test_a_service_that_answers_is_told(
    probe: Callable[[JsonApi, Attempt], Awaitable[list[Finding]]], answers: Answers, words: list[str]
) -> None:
    findings = await probe(_api(answers), _attempt("it"))
    assert [finding.found for finding in findings] == words
    assert all(finding.ok for finding in findings)


@pytest.mark.parametrize(
    ("probe", "answers", "ok", "failure"),
    [
        (probe_qdrant, {**QDRANT, "/collections": (401, {})}, [True, False], "unauthorized"),
        (probe_qdrant, {"/": (200, {"hello": "world"})}, [False, None], "not the service"),
        (_langfuse, {**LANGFUSE, "/api/public/projects": (401, {})}, [True, False, True], "unauthorized"),
        (_langfuse, {"/api/public/health": (503, {})}, [False, None, None], "unavailable"),
        (_silent_model, {"/models": (403, {})}, [False, None], "unauthorized"),
        (_silent_model, {"/models": (200, {"data": []})}, [False, None], "unavailable"),
        (_silent_model, {"/models": (200, "<html>")}, [False, None], "not the service"),
        (_silent_model, {"/models": (302, "")}, [False, None], "unavailable"),
        (_silent_model, MODEL, [True, False], "unavailable"),
    ],
)
async def test_what_is_wrong_with_a_service_is_told_by_one_word(
    probe: Callable[[JsonApi, Attempt], Awaitable[list[Finding]]], answers: Answers, ok: list[bool], failure: str
) -> None:
    findings = await probe(_api(answers), _attempt("it"))
    assert [finding.ok for finding in findings] == ok
    worst = next(finding for finding in findings if finding.ok is False)
    assert worst.failure == failure and worst.hint


async def test_langfuse_without_keys_is_asked_for_its_health_alone() -> None:
    findings = await probe_langfuse(_api(LANGFUSE), _attempt("langfuse"), keys=False)
    assert [(finding.ok, finding.failed) for finding in findings] == [(True, False), (False, False)]


async def test_langfuse_without_the_extra_is_told_which_one_and_fails_nothing() -> None:
    findings = await probe_langfuse(_api(LANGFUSE), _attempt("langfuse"), keys=True, tracing=False)
    assert findings[-1].ok is False and not findings[-1].failed
    assert "nomad-operator[tracing]" in findings[-1].hint


async def test_what_is_not_set_is_not_asked_and_fails_nothing() -> None:
    findings = await probe_services(Settings(), timeout=timedelta(seconds=1))
    assert [finding.name for finding in findings] == list(SERVICES)
    assert all(finding.ok is None and "not set" in finding.found and not finding.failed for finding in findings)


def _silent(stub: Stub, exchange: Exchange) -> None:
    stub.released.wait(10)
    exchange.hang_up()


def _settings(address: str, **more: Any) -> Settings:
    key = SecretStr("sup3r-s3cret")
    return Settings(
        vault_addr=address, vault_token=key, consul_http_addr=address, consul_http_token=key, fabio_url=address,
        qdrant_url=address, qdrant_api_key=key, langfuse_host=address, langfuse_public_key=key,
        langfuse_secret_key=key, openai_base_url=f"{address}/v1", openai_api_key=key, **more,
    )  # fmt: skip


async def test_services_that_hang_are_asked_all_at_once_and_hold_up_nobody() -> None:
    with serve(_silent) as stub:
        started = time.monotonic()
        findings = await probe_services(_settings(stub.address), timeout=timedelta(seconds=0.5))
        assert time.monotonic() - started < 3
    assert {finding.name for finding in findings} >= set(SERVICES)
    assert not [finding for finding in findings if finding.ok]
    assert {finding.failure for finding in findings if finding.ok is False} == {"timed out"}


async def test_one_that_hangs_takes_nothing_from_one_that_answers() -> None:
    with serve(_silent) as hanging, model_endpoint(model_answer(TRIAL)) as answering:
        settings = _settings(hanging.address).model_copy(update={"openai_base_url": answering.base_url})
        findings = _by_name(await probe_services(settings, timeout=timedelta(seconds=1)))
    assert findings["model"].ok and findings["answers"].ok and not findings["vault"].ok


TRIAL = {"word": "nomad", "number": 7}


@pytest.mark.parametrize(
    ("line", "ok", "failed", "words"),
    [
        (model_answer(TRIAL), True, False, "qwen3 answers by JSON schema ("),
        (refusing("json_schema", then=model_answer(TRIAL)), True, False, "qwen3 answers by JSON mode ("),
        (refusing("json_schema", "json_object", then=model_answer(TRIAL)), True, False, "answers by plain text ("),
        (text("Hello!"), False, True, "its answer cannot be read"),
        (silence(), False, False, "no complete answer within 0.9 s"),
    ],
)
async def test_what_a_model_answers_by_is_tried_and_told(line: Line, ok: bool, failed: bool, words: str) -> None:
    with model_endpoint(line) as endpoint:
        settings = Settings(openai_base_url=endpoint.base_url, openai_api_key=SecretStr("sup3r-s3cret"))
        findings = _by_name(await probe_services(settings, timeout=timedelta(seconds=1)))
    finding = findings["answers"]
    assert findings["model"].found == "models: qwen3"
    assert (finding.ok, finding.failed) == (ok, failed) and words in finding.found


async def test_which_of_several_models_is_meant_has_to_be_said() -> None:
    with model_endpoint(model_answer(TRIAL), models=["small", "large"]) as endpoint:
        several = Settings(openai_base_url=endpoint.base_url)
        findings = _by_name(await probe_services(several, timeout=timedelta(seconds=5)))
        assert findings["answers"].failed and "NOMAD_OPERATOR_MODEL" in findings["answers"].hint
        chosen = Settings(openai_base_url=endpoint.base_url, model="large")
        assert _by_name(await probe_services(chosen, timeout=timedelta(seconds=5)))["answers"].ok
    assert {question["model"] for question in endpoint.questions} == {"large"}


async def test_no_finding_repeats_a_secret() -> None:
    with serve(lambda stub, exchange: exchange.say(403, exchange.asked.headers.get("Authorization", "no"))) as stub:
        findings = await probe_services(_settings(stub.address), timeout=timedelta(seconds=2))
    told = json.dumps([(one.found, one.hint, one.address) for one in findings])
    assert "sup3r-s3cret" not in told and "Basic" not in told
    assert [one.name for one in findings if one.failure == "unauthorized"]


async def test_a_ca_that_cannot_be_read_is_a_finding_about_its_service(tmp_path: Any) -> None:
    settings = Settings(vault_addr="https://127.0.0.1:1", vault_cacert=tmp_path / "gone.pem")
    findings = _by_name(await probe_services(settings, timeout=timedelta(seconds=0.5)))
    assert (
        findings["vault"].failed and "gone.pem" in findings["vault"].found and "VAULT_CACERT" in findings["vault"].hint
    )


async def test_a_question_that_never_ends_is_given_up_on() -> None:
    class Hanging(FakeVault):
        async def token(self) -> TokenFacts:
            await asyncio.Event().wait()
            raise AssertionError

    findings = _by_name(await probe_vault(Hanging(), _attempt(timeout=0.05), login=True))
    assert findings["vault"].ok and findings["names of secrets"].ok
    assert (findings["token"].ok, findings["token"].failure) == (False, "timed out")
