"""A repair of one job, taken apart and made again on another: by roles, and by where its values come from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.app import AppKey
from desired.cause import Cause
from desired.operations.apply import apply
from desired.operations.operation import Kind, Operation
from observers.evidence import Evidence, ImageFacts, Usage
from observers.failures.diagnosis import Diagnosis
from observers.failures.failure_class import FailureClass
from observers.running import FieldChange
from reconcilers.repair.guard import Guard, GuardSettings
from reconcilers.repair.lesson import lesson
from reconcilers.repair.memory_rung import again
from reconcilers.repair.proposal import Case
from reconcilers.repair.recall import Recalled
from reconcilers.repair.relative import From, Step, edits, own, steps
from reconcilers.repair.remembered import Learned

AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class App:
    """A job of one group with one task, one service and one check; every name is its own."""

    name: str = "shop"
    memory: int = 256
    label: str = "http"
    asked: str = ""  # the label that the service names, where that is another
    to: int = 80
    path: str = "/health"
    ports: tuple[int, ...] = (8080,)
    config: dict[str, Any] = field(default_factory=dict)
    used: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    failure: FailureClass = FailureClass.OOM_KILLED
    refusal: str = ""
    sidecar: bool = False
    good: str = ""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return f"{self.name}-group"

    @property
    def task(self) -> str:
        return f"{self.name}-task"

    @property
    def body(self) -> dict[str, Any]:
        check = {"Name": f"{self.name}-alive", "Type": "http", "Path": self.path}
        tasks = [
            {
                "Name": self.task,
                "Driver": "docker",
                "Config": {"image": f"{self.name}:2", **self.config},
                "Env": self.env,
                "Resources": {"CPU": 100, "MemoryMB": self.memory},
            }
        ]
        if self.sidecar:
            tasks.append({"Name": "log", "Driver": "docker", "Resources": {"MemoryMB": 64}})
        return {
            "ID": self.name,
            "Name": self.name,
            "Datacenters": ["dc-1"],
            "TaskGroups": [
                {
                    "Name": self.group,
                    "Networks": [{"DynamicPorts": [{"Label": self.label, "To": self.to}]}],
                    "Services": [{"Name": self.name, "PortLabel": self.asked or self.label, "Checks": [check]}],
                    "Tasks": tasks,
                }
            ],
        }

    @property
    def case(self) -> Case:
        told = Diagnosis(
            self.failure, Cause.SPEC, "it failed", group=self.group, task=self.task, service=self.name,
            check=f"{self.name}-alive", port=self.label, facts=self.facts,
        )  # fmt: skip
        key = AppKey("default", self.name)
        changes = ()
        if self.good:
            changes = (FieldChange(path=f"{self.group}/{self.task}/Config/image", old=self.good, new=f"{self.name}:2"),)
        evidence = Evidence(
            id="e",
            key=key,
            at=AT,
            body=self.body,
            since=AT,
            refusal=self.refusal,
            changes=changes,
            usage={(self.group, self.task): Usage(memory=self.used)} if self.used else {},
            images={"i": ImageFacts("i", ports=self.ports)} if self.ports else {},
        )
        return Case(key, self.body, told, evidence)

    def at(self, *parts: str) -> tuple[str, ...]:
        names = {"group": self.group, "task": self.task, "service": self.name, "check": f"{self.name}-alive",
                 "port": self.label}  # fmt: skip
        return tuple(names.get(part, part) for part in parts)


ASKS = {"name": "DATABASE_URL"}

# What was done to the first app, what it is in relative form, and what is done to the second.
SAME = {
    "memory by a factor": (
        App(), (Kind.MEMORY, ("group", "task"), 256, 512),
        From.TIMES, App("pay", memory=300), (Kind.MEMORY, ("group", "task"), 300, 600),
    ),
    "memory by what it was seen to use": (
        App(used=400), (Kind.MEMORY, ("group", "task"), 256, 800),
        From.USE, App("pay", memory=300, used=500), (Kind.MEMORY, ("group", "task"), 300, 1000),
    ),
    "an amount that Nomad asks for": (
        App(memory=4, refusal="no", facts={"minimum": "10"}), (Kind.MEMORY, ("group", "task"), 4, 10),
        From.FACT, App("pay", memory=3, refusal="no", facts={"minimum": "32"}), (Kind.MEMORY, ("group", "task"), 3, 32),
    ),
    "the port that the image exposes": (
        App(), (Kind.PORT_TO, ("group", "port"), 80, 8080),
        From.IMAGE_PORT, App("pay", ports=(9000,), to=1), (Kind.PORT_TO, ("group", "port"), 1, 9000),
    ),
    "the port that the app says": (
        App(ports=(), facts={"listens_on": "3000"}), (Kind.PORT_TO, ("group", "port"), 80, 3000),
        From.FACT, App("pay", ports=(), facts={"listens_on": "5000"}), (Kind.PORT_TO, ("group", "port"), 80, 5000),
    ),
    "the group's only label": (
        App(asked="htpt"), (Kind.SERVICE_PORT, ("group", "service"), "htpt", "http"),
        From.ONLY_LABEL, App("pay", label="main", asked="web"),
        (Kind.SERVICE_PORT, ("group", "service"), "web", "main"),
    ),
    "all labels of the group": (
        App(config={"ports": ["htpt"]}), (Kind.DRIVER_PORTS, ("group", "task"), ("htpt",), ("http",)),
        From.ALL_LABELS, App("pay", label="main", config={"ports": ["mian"]}),
        (Kind.DRIVER_PORTS, ("group", "task"), ("mian",), ("main",)),
    ),
    "a path that was found out": (
        App(facts={"candidates": "/ready"}), (Kind.CHECK_PATH, ("group", "service", "check"), "/health", "/ready"),
        From.FACT, App("pay", path="/", facts={"candidates": "/up"}),
        (Kind.CHECK_PATH, ("group", "service", "check"), "/", "/up"),
    ),
    "a word of Nomad's": (
        App(), (Kind.CHECK_PROTOCOL, ("group", "service", "check"), "http", "https"),
        From.TERM, App("pay"), (Kind.CHECK_PROTOCOL, ("group", "service", "check"), "http", "https"),
    ),
    "a key of the driver's": (
        App(config={"imag": "x"}), (Kind.DRIVER_KEY, ("group", "task", "imag"), "imag", "cmd"),
        From.TERM, App("pay", config={"imag": "y"}), (Kind.DRIVER_KEY, ("group", "task", "imag"), "imag", "cmd"),
    ),
    "a word of the cluster's": (
        App(), (Kind.DATACENTERS, (), ("dc-1",), ("dc1",)),
        From.TERM, App("pay"), (Kind.DATACENTERS, (), ("dc-1",), ("dc1",)),
    ),
    "what another variable holds": (
        App(env={"DB_URL": "tok-1x"}, facts=ASKS), (Kind.ENV, ("group", "task", "DATABASE_URL"), None, "tok-1x"),
        From.VARIABLE, App("pay", env={"DB_URL": "tok-2y"}, facts=ASKS),
        (Kind.ENV, ("group", "task", "DATABASE_URL"), None, "tok-2y"),
    ),
    "Nomad's reference to the only port": (
        App(ports=()), (Kind.ENV, ("group", "task", "PORT"), None, "${NOMAD_PORT_http}"),
        From.REFERENCE, App("pay", ports=(), label="main"),
        (Kind.ENV, ("group", "task", "PORT"), None, "${NOMAD_PORT_main}"),
    ),
    "the number that the only port leads to": (
        App(ports=(), to=3000), (Kind.ENV, ("group", "task", "PORT"), None, "3000"),
        From.PORT_TARGET, App("pay", ports=(), to=5000, env={"PORT": "1"}),
        (Kind.ENV, ("group", "task", "PORT"), "1", "5000"),
    ),
    "the port of the image, for a variable": (
        App(to=0), (Kind.ENV, ("group", "task", "PORT"), None, "8080"),
        From.IMAGE_PORT, App("pay", ports=(9000,)), (Kind.ENV, ("group", "task", "PORT"), None, "9000"),
    ),
    "the image of before": (
        App(good="shop:1"), (Kind.IMAGE, ("group", "task"), "shop:2", "shop:1"),
        From.LAST_GOOD, App("pay", good="pay:9"), (Kind.IMAGE, ("group", "task"), "pay:2", "pay:9"),
    ),
    "taken out": (
        App(config={"command": "srve"}), (Kind.COMMAND, ("group", "task"), "srve", None),
        From.TERM, App("pay", config={"command": "rnu"}), (Kind.COMMAND, ("group", "task"), "rnu", None),
    ),
}  # fmt: skip


def operation(app: App, told: Any) -> Operation:
    kind, at, old, new = told
    return Operation(kind, app.at(*at), old, new)


@pytest.mark.parametrize(("first", "done", "source", "second", "wanted"), SAME.values(), ids=SAME)
def test_what_helped_one_app_is_made_again_for_another(
    first: App, done: Any, source: From, second: App, wanted: Any
) -> None:
    relative = steps(first.case, [operation(first, done)])
    assert [one.source for one in relative] == [source]
    assert not own(relative)
    made = again(second.case, known(relative))
    assert made is not None
    assert made.operations == (operation(second, wanted),)


# What is this app's alone, or cannot be told from chance.
ALONE = {
    "a number that is no step": (App(), (Kind.MEMORY, ("group", "task"), 256, 4000)),
    "less than before": (App(memory=9000), (Kind.MEMORY, ("group", "task"), 9000, 600)),
    "a path that only this app has": (App(), (Kind.CHECK_PATH, ("group", "service", "check"), "/health", "/shop/up")),
    "a variable": (App(), (Kind.ENV, ("group", "task", "DB"), None, "shop-db")),
    "a variable that two others hold": (
        App(env={"A": "x-y", "B": "x-y"}, facts={"name": "DB"}),
        (Kind.ENV, ("group", "task", "DB"), None, "x-y"),
    ),
    "a reference to another port": (App(), (Kind.ENV, ("group", "task", "P"), None, "${NOMAD_PORT_admin}")),
    "arguments": (App(config={"args": ["a"]}), (Kind.ARGS, ("group", "task"), ("a",), ("b",))),
    "another task than the one that failed": (App(sidecar=True), (Kind.MEMORY, ("group", "log"), 64, 128)),
    "an image that nobody ran": (App(), (Kind.IMAGE, ("group", "task"), "shop:2", "shop:3")),
}


@pytest.mark.parametrize(("app", "done"), ALONE.values(), ids=ALONE)
def test_what_is_only_this_apps_stays_with_this_app(app: App, done: Any) -> None:
    relative = steps(app.case, [operation(app, done)])
    assert own(relative)
    made = again(app.case, known(relative))
    assert made is not None
    assert made.operations == (operation(app, done),)


def test_what_fitted_this_app_does_not_fit_it_any_more_when_it_says_something_else() -> None:
    first = App()
    relative = steps(first.case, [operation(first, (Kind.MEMORY, ("group", "task"), 256, 4000))])
    assert again(replace(first, memory=512).case, known(relative)) is None


# Where it cannot be found again.
MISSING = {
    "the image exposes two ports": (Step(Kind.PORT_TO, ("group", "port"), From.IMAGE_PORT), App(ports=(1, 2))),
    "the image could not be asked": (Step(Kind.PORT_TO, ("group", "port"), From.IMAGE_PORT), App(ports=())),
    "the fact is not known": (Step(Kind.PORT_TO, ("group", "port"), From.FACT, "listens_on"), App()),
    "the fact is no number": (
        Step(Kind.PORT_TO, ("group", "port"), From.FACT, "listens_on"), App(facts={"listens_on": "none"})
    ),
    "nothing was good before": (Step(Kind.IMAGE, ("group", "task"), From.LAST_GOOD), App()),
    "nothing was seen in use": (Step(Kind.MEMORY, ("group", "task"), From.USE, 200), App()),
    "the key is not there": (Step(Kind.DRIVER_KEY, ("group", "task", "=imag"), From.TERM, "image"), App()),
    "the other variable is not there": (Step(Kind.ENV, ("group", "task", "=A"), From.VARIABLE, "B"), App(ports=())),
    "the other variable is itself": (
        Step(Kind.ENV, ("group", "task", "=A"), From.VARIABLE, "A"), App(env={"A": "x"})
    ),
    "nobody asks for the variable": (
        Step(Kind.ENV, ("group", "task", "=LOG_PREFIX"), From.VARIABLE, "DB_URL"), App(env={"DB_URL": "x"}, facts=ASKS)
    ),
    "no word of Nomad's": (
        Step(Kind.ENV, ("group", "task", "=A"), From.REFERENCE, "TOKEN}${VAULT"), App()
    ),
    "a variable for what is none": (
        Step(Kind.CHECK_PATH, ("group", "service", "check"), From.VARIABLE, "SECRET"), App(env={"SECRET": "/s3cr3t"})
    ),
    "a port that leads nowhere": (Step(Kind.ENV, ("group", "task", "=A"), From.PORT_TARGET), App(to=0)),
    "it says so already": (Step(Kind.CHECK_PROTOCOL, ("group", "service", "check"), From.TERM, "http"), App()),
}  # fmt: skip


@pytest.mark.parametrize(("step", "app"), MISSING.values(), ids=MISSING)
def test_nothing_is_made_from_what_is_not_known(step: Step, app: App) -> None:
    assert again(app.case, known((step,))) is None


def test_a_part_of_a_repair_is_no_repair() -> None:
    both = (
        Step(Kind.MEMORY, ("group", "task"), From.TIMES, 200),
        Step(Kind.PORT_TO, ("group", "port"), From.FACT, "listens_on"),
    )
    assert edits(App().case, both) is None


def test_without_a_role_there_is_no_place_in_a_job_with_several() -> None:
    app = App(sidecar=True)
    told = replace(app.case.diagnosis, task="")
    step = Step(Kind.MEMORY, ("group", "task"), From.TIMES, 200)
    assert edits(replace(app.case, diagnosis=told), (step,)) is None


@given(
    memory=st.integers(10, 100_000), percent=st.integers(-1000, 10_000), used=st.integers(0, 100_000),
    source=st.sampled_from([From.TIMES, From.USE]),
)  # fmt: skip
def test_whatever_a_memory_says_a_step_stays_a_step(memory: int, percent: int, used: int, source: From) -> None:
    """A store may be wrong, or be somebody else's: the guard lets no more through than it would from anybody."""
    case = App(memory=memory, used=used).case
    made = again(case, known((Step(Kind.MEMORY, ("group", "task"), source, percent),)))
    if made is None or Guard(settings=GuardSettings()).judge(case, made).violations:
        return
    (one,) = made.operations
    assert isinstance(one.new, int)
    assert max(10, used) <= one.new <= max(memory, used, 300 // 2) * 2


@given(old=st.integers(10, 10**6), factor=st.integers(101, 200))
def test_a_step_leads_back_to_the_value_it_was_made_from(old: int, factor: int) -> None:
    new = old * factor // 100
    app = App(memory=old)
    done = Operation(Kind.MEMORY, app.at("group", "task"), old, new)
    relative = steps(app.case, [done])
    made = again(app.case, known(relative)) if new != old else None
    if made is not None:
        assert apply(app.body, made.operations) == apply(app.body, [done])


def known(relative: tuple[Step, ...]) -> Recalled:
    return Recalled(
        failure="oom_killed", steps=relative, score=1.0, exact=True, similarity=1.0, outcomes={Learned.DURABLE: 1},
        apps=1, last=AT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("app", "done", "learned"),
    [
        (
            App(env={"DB_URL": "tok-1x"}, facts=ASKS),
            (Kind.ENV, ("group", "task", "DATABASE_URL"), None, "tok-1x"),
            True,
        ),
        (App(ports=()), (Kind.ENV, ("group", "task", "PORT"), None, "${NOMAD_PORT_http}"), True),
        (App(), (Kind.ENV, ("group", "task", "DATABASE_URL"), None, "tok-1x"), False),
        (App(env={"DB": "tok-1x"}), (Kind.ENV, ("group", "task", "DB"), "tok-1x", "8080"), True),
        (App(env={"DB": "tok-1x"}, ports=()), (Kind.ENV, ("group", "task", "DB"), "tok-1x", "9"), False),
    ],
)
def test_of_variables_names_are_learned_and_no_value_that_people_are_not_shown(
    app: App, done: Any, learned: bool
) -> None:
    found = lesson(app.case, [operation(app, done)])
    assert (found is not None) is learned
    assert "tok-1x" not in repr(found)
