"""What an app reads from Vault, with the real process: a misspelled name never runs, and the right value arrives.

On the embedded Nomad with a Vault that stands in; and on a real one with a real Vault, where the job of an app X may
read `secret/data/X/*`: the value inside of the container is compared by its digest, and is printed nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from nomad_operator.embedded.world import Node, World
from tests.e2e.nomad_side import NomadSide
from tests.e2e.nomads import EMBEDDED_TASKS, NOMADS, REAL_TASKS, EmbeddedServer
from tests.e2e.operator_process import OperatorProcess
from tests.e2e.proxy import Proxy
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

ADDRESS = os.environ.get("VAULT_TEST_ADDR", "")
TOKEN = os.environ.get("VAULT_TEST_TOKEN", "")
NOMAD = os.environ.get("NOMAD_TEST_ADDR", "")
CONSUL = os.environ.get("CONSUL_TEST_ADDR", "")
IMAGE = "busybox:local"


@dataclass
class StandIn:
    """A Vault that knows names; whoever asks it for a value is written down."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    values_asked: list[str] = field(default_factory=list)
    address: str = ""
    token: str = "stand-in"

    def put(self, path: str, **values: str) -> None:
        self.fields[path] = list(values)

    def answer(self, method: str, path: str) -> tuple[int, object]:
        inner = path.split("?")[0].removeprefix("/v1/")
        if inner.startswith("sys/internal/ui/mounts/secret/"):
            return 200, {"data": {"path": "secret/", "type": "kv", "options": {"version": "2"}}}
        if inner.startswith("secret/subkeys/"):
            found = self.fields.get(inner.removeprefix("secret/subkeys/"))
            return (404, {"errors": []}) if found is None else (200, {"data": {"subkeys": dict.fromkeys(found)}})
        if inner.startswith("secret/metadata/") and (method == "LIST" or "list=true" in path):
            folder = inner.removeprefix("secret/metadata/").rstrip("/") + "/"
            names = [one.removeprefix(folder) for one in self.fields if one.startswith(folder)]
            return (200, {"data": {"keys": names}}) if names else (404, {"errors": []})
        if inner.startswith("auth/token/"):
            return 200, {"data": {"policies": ["default"], "ttl": 0, "renewable": False}}
        self.values_asked.append(f"{method} {path}")
        return 404, {"errors": []}


@contextmanager
def serving(vault: StandIn) -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            status, body = vault.answer(self.command, self.path)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_LIST = do_POST = do_PUT = _any

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    vault.address = f"http://127.0.0.1:{server.server_port}"
    yield vault
    server.shutdown()
    server.server_close()
    thread.join(10)


class RealVault:
    """Secrets below the names of the test's jobs, gone at the end."""

    address, token = ADDRESS, TOKEN

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=ADDRESS, headers={"X-Vault-Token": TOKEN}, timeout=15, trust_env=False)
        self._put: list[str] = []

    def put(self, path: str, **values: str) -> None:
        assert self._http.post(f"/v1/secret/data/{path}", json={"data": values}).is_success
        self._put.append(path)

    def close(self) -> None:
        for path in self._put:
            self._http.delete(f"/v1/secret/metadata/{path}")
        self._http.close()


@dataclass
class Place:
    """One cluster with its Vault, an operator on it, and its repository."""

    nomad: NomadSide
    proxy: Proxy
    vault: StandIn | RealVault
    upstream: Upstream
    operator: OperatorProcess

    @property
    def real(self) -> bool:
        return isinstance(self.vault, RealVault)

    def job(self, name: str, read: str) -> str:
        """An app that says the digest of what it was given, and goes on."""
        say = 'printf %s "$DB_PASSWORD" | sha256sum; exec sleep 3600'
        config = f"""config {{
        image   = "{IMAGE}"
        command = "/bin/sh"
        args    = ["-c", {json.dumps(say)}]
      }}
      vault {{}}
      template {{
        env         = true
        destination = "secrets/app.env"
        data        = <<EOT
{read}
EOT
      }}
      env {{"""
        text = self.nomad.job_file(name)
        head, _, tail = text.partition('task "t" {')
        return f'{head}task "t" {{\n      driver = "docker"\n      {config}{tail.partition("env {")[2]}'

    def manifest(self, name: str, *spec: str) -> str:
        """The same of a manifest."""
        say = 'printf %s "$DB_PASSWORD" | sha256sum; exec sleep 3600'
        lines = (f"image: {IMAGE}", "command: /bin/sh", f"args: ['-c', {json.dumps(say)}]", *spec)
        head = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: {name}}}\nspec:\n"
        return head + "".join(f"  {line}\n" for line in (*lines, "verify: {soak: 1s}"))

    def digest_inside(self, name: str, task: str = "t") -> str:
        """What the newest allocation has said."""
        with httpx.Client(base_url=self.nomad.address, timeout=15, trust_env=False) as http:
            allocations = http.get(f"/v1/job/{name}/allocations").json()
            newest = max(allocations, key=lambda one: int(one["CreateIndex"]))["ID"]
            asked = {"task": task, "type": "stdout", "plain": "true"}
            answer = http.get(f"/v1/client/fs/logs/{newest}", params=asked)
        return answer.text.split()[0] if answer.is_success and answer.text else ""


@pytest.fixture(params=NOMADS)
def place(request: pytest.FixtureRequest, tmp_path: Path, upstream: Upstream) -> Iterator[Place]:
    if request.param == "real":
        if not (ADDRESS and NOMAD):
            pytest.skip("values of a real Vault in a real Nomad (VAULT_TEST_ADDR, VAULT_TEST_TOKEN, NOMAD_TEST_ADDR)")
        side = NomadSide(NOMAD, **REAL_TASKS)
        if not side.attribute("vault.accessible") or not side.attribute("driver.docker"):
            side.close()
            pytest.skip("values of a real Vault in a real Nomad: the one of NOMAD_TEST_ADDR has no Vault, or no Docker")
        real = RealVault()
        try:
            with _operating(side, real, upstream, tmp_path) as made:
                yield made
        finally:
            side.purge()
            real.close()
            side.close()
        return
    with serving(StandIn()) as vault:
        paths = {f"secret/data/{name}/db": {"DB_PASSWORD": "x"} for name in ("t-embedded-web", "t-embedded-api")}
        server = EmbeddedServer(world=World(nodes=(Node(name="node-1"),), vault=True, vault_paths=paths))
        side = NomadSide(server.address, **EMBEDDED_TASKS)
        side.prefix = "t-embedded-"
        with _operating(side, vault, upstream, tmp_path) as made:
            yield made
        assert vault.values_asked == []
        side.close()
        server.stop()


@contextmanager
def _operating(side: NomadSide, vault: StandIn | RealVault, upstream: Upstream, folder: Path) -> Iterator[Place]:
    proxy = Proxy(side.address)
    operator = OperatorProcess(
        folder=folder / "operator", nomad=proxy.address, git_url=f"file://{upstream.folder}", GIT_PATH="apps"
    )
    operator.environment |= {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.token}
    yield Place(side, proxy, vault, upstream, operator)
    operator.end()
    proxy.down()
    assert "Traceback" not in operator.said(), operator.said()


def reads(path: str, field: str) -> str:
    return f'{{{{ with secret "{path}" }}}}DB_PASSWORD={{{{ .Data.data.{field} | toJSON }}}}{{{{ end }}}}'


def a_value() -> str:
    return base64.b64encode(uuid.uuid4().bytes).decode()


def test_a_misspelled_field_is_never_run_and_the_approved_name_brings_the_value(place: Place) -> None:
    web, value = place.nomad.name("web"), a_value()
    place.vault.put(f"{web}/db", DB_PASSWORD=value)
    text = place.job(web, reads(f"secret/data/{web}/db", "DB_PASWORD"))
    place.upstream.commit({"apps/web.nomad.hcl": text})
    process = place.operator.start()
    app = process.until_app(web, reason="AwaitingApproval", settled=True)
    (told,) = [one["message"] for one in app["conditions"] if one["type"] == "ValueMissing"]
    line = 1 + text[: text.index("<<EOT")].count("\n")
    assert (
        f"web.nomad.hcl:{line}:" in told and "has no field DB_PASWORD" in told and "did you mean DB_PASSWORD?" in told
    )
    assert place.proxy.registers(web) == [] and place.nomad.job(web) is None
    approved = process.command("repairs", "approve", web)
    assert approved.returncode == 0, approved.stderr
    process.until_ready(web, within=60)
    _has_arrived(place, web, value)
    assert value not in process.said() + process.get(f"/api/v1/apps/default/{web}").text


def test_a_path_that_is_awaited_is_told_with_what_was_meant_and_the_mended_one_runs(place: Place) -> None:
    web, value = place.nomad.name("web"), a_value()
    place.vault.put(f"{web}/db", DB_PASSWORD=value)
    place.upstream.commit({"apps/web.nomad.hcl": place.job(web, reads(f"secret/data/{web}/dbb", "DB_PASSWORD"))})
    process = place.operator.start()

    def warned() -> bool:
        told = [one["message"] for one in process.app(web).get("conditions", ()) if one["type"] == "ValueMissing"]
        return bool(told) and f"did you mean secret/data/{web}/db?" in told[0]

    until(warned, what="the path is told", told=lambda: process.app(web))
    until(lambda: place.proxy.registers(web), what="it is registered all the same")
    place.upstream.commit({"apps/web.nomad.hcl": place.job(web, reads(f"secret/data/{web}/db", "DB_PASSWORD"))})
    process.until_ready(web, within=60)
    _has_arrived(place, web, value)
    assert "ValueMissing" not in [one["type"] for one in process.app(web)["conditions"]]


def test_validate_says_it_at_its_place_before_anything_is_committed(place: Place) -> None:
    web = place.nomad.name("web")
    place.vault.put(f"{web}/db", DB_PASSWORD=a_value())
    place.operator.folder.joinpath("web.nomad.hcl").write_text(
        place.job(web, reads(f"secret/data/{web}/db", "DB_PASWORD"))
    )
    told = place.operator.command("validate", "--server", "web.nomad.hcl")
    assert told.returncode == 1, told.stdout + told.stderr
    assert "did you mean DB_PASSWORD?" in told.stdout and "[field-missing]" in told.stdout


@pytest.fixture
def consul(place: Place) -> Iterator[httpx.Client]:
    if not (place.real and CONSUL and place.nomad.attribute("consul.version")):
        pytest.skip("keys of a real Consul in a real Nomad (CONSUL_TEST_ADDR beside those of Vault and Nomad)")
    with httpx.Client(base_url=CONSUL, timeout=15, trust_env=False) as http:
        yield http
        http.delete(f"/v1/kv/{place.nomad.prefix}", params={"recurse": "true"})


@pytest.mark.real
def test_a_key_of_consul_that_is_awaited_is_told_with_what_was_meant(place: Place, consul: httpx.Client) -> None:
    web, value = place.nomad.name("web"), a_value()
    assert consul.put(f"/v1/kv/{web}/url", content=value).is_success
    place.operator.environment["CONSUL_HTTP_ADDR"] = CONSUL
    misspelled = place.job(web, f'DB_PASSWORD={{{{ key "{web}/ulr" | toJSON }}}}').replace("vault {}", "consul {}")
    place.upstream.commit({"apps/web.nomad.hcl": misspelled})
    process = place.operator.start()

    def warned() -> bool:
        told = [one["message"] for one in process.app(web).get("conditions", ()) if one["type"] == "ValueMissing"]
        return bool(told) and f"did you mean {web}/url?" in told[0]

    until(warned, what="the key is told", told=lambda: process.app(web))
    place.upstream.commit({"apps/web.nomad.hcl": misspelled.replace("/ulr", "/url")})
    process.until_ready(web, within=60)
    _has_arrived(place, web, value)


@pytest.mark.parametrize("form", ["template", "block"])
def test_a_value_of_vault_arrives_in_either_form_and_the_job_is_settled(place: Place, form: str) -> None:
    web, value = place.nomad.name("web"), a_value()
    place.vault.put(f"{web}/db", DB_PASSWORD=value)
    env = f'env: {{DB_PASSWORD: {{vault: "secret/data/{web}/db#DB_PASSWORD"}}}}'
    place.upstream.commit({"apps/web.yaml": place.manifest(web, f"secretForm: {form}", env)})
    process = place.operator.start()
    process.until_ready(web, within=60)
    [task] = (place.nomad.job(web) or {})["TaskGroups"][0]["Tasks"]
    assert (bool(task["Secrets"]), bool(task["Templates"])) == (form == "block", form == "template")
    _has_arrived(place, web, value, task="app")
    planned = process.command("plan", "--json")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert len(place.proxy.registers(web)) == 1


def _has_arrived(place: Place, name: str, value: str, *, task: str = "t") -> None:
    if place.real:
        wanted = hashlib.sha256(value.encode()).hexdigest()
        # The values themselves would be shown by a comparison that fails.
        until(lambda: place.digest_inside(name, task) == wanted, what="the value inside is the one that was put")
