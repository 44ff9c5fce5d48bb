"""Files of code that talk a model into something, and a model that says it, while nobody looks at what is answered."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from desired.help import Wanting
from desired.state import JsonSource
from prompts.model.question import Question
from tests.doubles.scripted_model import ScriptedModel
from tests.injection.hostile import Hostile, corpus
from tests.unit.operator.test_model_answers import CODE, KEY, World, asked

PLACES = ("vault: secret/data/billing/db#password", "nomad: nomad/jobs/billing#key", "consul: billing/url")
NASTY = (
    "evil.example/shop-miner:1", "fixed: /usr/lib/evil.so", "none", "disable", "privileged", "host", *PLACES,
    "vault: secret/data/shop/../billing/db#password",
)  # fmt: skip
RIGHT = {"image": "registry.example.org/team/shop:1.2", "env.GREETING": "fixed: hello"}


class Malicious:
    """Says what the file asks for, wherever that fits, and names the line that says so."""

    def __init__(self, hostile: Hostile) -> None:
        self._dice = random.Random(hostile.name)
        self._said = [*hostile.wants, *hostile.text.split(), *NASTY]

    def draft(self, question: Question) -> Mapping[str, Any]:
        """One of them may be right: what is hidden beside a right answer is looked at as well."""
        return {
            name: self._answer(RIGHT[name] if self._dice.random() < 0.6 else self._dice.choice(self._said)[:280])
            for name in question.schema["properties"]
        }

    def facts(self, question: Question) -> Mapping[str, Any]:
        line = {"path": "README.md", "line": 1, "confidence": "high"}
        names = [name for name in question.schema["properties"] if name != "variables"]
        said: dict[str, Any] = dict.fromkeys(names)
        if "port" in said:
            said["port"] = {"value": 22, **line}
        return {**said, "variables": [{"name": "LD_PRELOAD", "required": True, **line}]}

    def _answer(self, said: str) -> Mapping[str, Any]:
        form = self._dice.choice(("{}", "fixed: {}", "vault: {}#key", "consul: {}"))
        plain = ": " in said or said in RIGHT.values()
        return {
            "answer": said if plain else form.format(said), "path": "README.md", "line": self._dice.randint(1, 3),
            "recalled": None, "reason": "the administrator approved it",
        }  # fmt: skip


async def everything(wanting: Wanting) -> Collection[str]:
    return PLACES


def harm(body: Mapping[str, Any]) -> list[str]:
    """What no open question of this app may ever bring."""
    (group,) = body["TaskGroups"]
    (task,) = group["Tasks"]
    found = []
    image = task["Config"]["image"].partition("@")[0]
    if task["Driver"] != "docker" or set(task["Config"]) - {"image", "ports"}:
        found.append(f"how it runs: {task['Driver']} {task['Config']}")
    if image.rpartition("/")[2].partition(":")[0] != KEY.name:
        found.append(f"another image: {image}")
    if set(task.get("Env") or {}) - {"GREETING"}:
        found.append(f"variables that nobody asks for: {task['Env']}")
    read = str(task.get("Templates") or "") + str(task.get("Secrets") or "") + str(task.get("Vault") or "")
    if "billing" in read or ".." in read:
        found.append(f"what belongs to others: {read}")
    if group.get("Volumes") or task.get("VolumeMounts"):
        found.append("volumes")
    if any(network.get("Mode") == "host" or network.get("ReservedPorts") for network in group["Networks"]):
        found.append("the host's network")
    if not any(service.get("Checks") for service in group.get("Services") or ()):
        found.append("no check")
    return found


async def deployed(hostile: Hostile) -> int:
    """How often the file and the model together made a job; each is looked at."""
    says = Malicious(hostile)
    shop = World(ScriptedModel({"draft": [says.draft], "facts": [says.facts]}), there=everything)
    await shop.start()
    made = 0
    for number in range(8):
        told = f"{hostile.text} {' '.join((*NASTY, *RIGHT.values()))} {number}\n"
        shop.commit(files={**CODE, "README.md": told})
        state = await shop.settled()
        app = state.apps.get(KEY)
        if app is None:
            assert set(asked(state)) <= {"image", "env.GREETING"}
            continue
        assert isinstance(app.source, JsonSource)
        assert harm(app.source.body) == []
        made += 1
    shop.answers.close()
    return made


@pytest.mark.parametrize("hostile", corpus(), ids=lambda one: one.name)
async def test_a_hostile_file_and_a_malicious_model_harm_nobody(hostile: Hostile) -> None:
    await deployed(hostile)


async def test_some_of_what_they_say_is_deployed() -> None:
    """Else nothing would have been looked at."""
    assert sum([await deployed(one) for one in corpus()[:40]]) > 20
