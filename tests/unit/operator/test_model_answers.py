"""What a model answers about code while nobody looks: asked beside, kept, and the same after a restart."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from desired.app import AppKey
from desired.catalog import Catalog
from desired.code_place import CodeWish
from desired.draft.value import Value
from desired.errors import Unavailable
from desired.facts.analyze import analyze
from desired.facts.codebase import Codebase
from desired.facts.tree_codebase import TreeCodebase
from desired.file_tree import FileEntry, FileTree
from desired.help import Wanting
from desired.job.hcl_read import LocalParser
from desired.policy import Policy
from desired.source_code import Code
from desired.state import DesiredState, JsonSource
from nomad_operator.model_answers import ModelAnswers
from prompts.catalog import FilePrompts
from reconcilers.generate.answering import Answering
from reconcilers.generate.lived import Alike, Lived, Said
from reconcilers.generate.recalled_apps import AppsRecalled
from reconcilers.generate.unattended import counts, named_like
from reconcilers.memory_store import MemoryStore
from tests.doubles.scripted_model import ScriptedModel

KEY = AppKey("default", "shop")
CODE = {
    "Dockerfile": "FROM python:3.12\nEXPOSE 8000\n",
    "app.py": "import os\nos.environ['GREETING']\n",
    "README.md": "Run it with GREETING=hello, or as registry.example.org/team/shop:1.2.\n",
}
MANIFEST = "source: {path: .}"


def says(answer: str, path: str | None = "README.md", line: int | None = 1) -> dict[str, Any]:
    return {"answer": answer, "path": path, "line": line, "recalled": None, "reason": "the readme says so"}


IMAGE = says("registry.example.org/team/shop:1.2")
HELLO = says("fixed: hello")
DRAFT: dict[str, Any] = {"image": IMAGE, "env.GREETING": HELLO}
FACTS: dict[str, Any] = {
    "port": None, "health_path": None, "memory_mb": None, "schedule": None, "framework": None, "variables": []
}  # fmt: skip


def fitting(answers: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Of these answers those that were asked for."""
    return lambda question: {name: answers.get(name) for name in question.schema["properties"]}


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def nowhere(wanting: Wanting) -> Collection[str]:
    return ()


class World:
    """A repository with one manifest and its code, and a daemon that reads it."""

    def __init__(self, model: ScriptedModel | None, *, there: Any = nowhere) -> None:
        self.model = model
        self.store = MemoryStore()
        self.known: set[AppKey] = {KEY}
        self.news = 0
        self.slept: list[float] = []
        self.failed: list[str] = []
        self.go_on = asyncio.Event()
        self.text, self.code, self.files = "", Code(""), dict[str, str]()
        self.there = there
        self.apps = AppsRecalled()

    async def start(self) -> None:
        answering = (
            Answering(self.model, FilePrompts(), str, self.there, self._recalled) if self.model is not None else None
        )
        self.answers = ModelAnswers(
            answering=answering,
            codes=self,
            store=self.store,
            news=self._news,
            sleep=self._sleep,
            failed=lambda _key, error: self.failed.append(error.message),
        )
        await self.answers.load(self.known)
        self.catalog = Catalog(parser=LocalParser(), defaults=Policy(), codes=self, help=self.answers)

    async def _recalled(self, wanting: Wanting) -> AppsRecalled:
        return self.apps

    def _news(self) -> None:
        self.news += 1

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.go_on.wait()
        self.go_on.clear()

    def commit(self, spec: str = MANIFEST, files: Mapping[str, str] = CODE) -> None:
        self.text = f"apiVersion: nomad-operator/v1\nkind: App\nmetadata: {{name: shop}}\nspec: {{{spec}}}\n"
        self.files = dict(files)
        self.code = Code(repr(files), analysis=analyze(self._held()))

    def _held(self) -> TreeCodebase:
        return TreeCodebase(name="shop", contents={path: text.encode() for path, text in self.files.items()})

    async def codebase(self, wish: CodeWish) -> Codebase:
        return self._held()

    async def found(self, wishes: Collection[CodeWish], revision: str) -> Mapping[CodeWish, Code]:
        return dict.fromkeys(wishes, self.code)

    async def contents(self, blobs: Collection[str]) -> Mapping[str, bytes]:
        return dict.fromkeys(blobs, self.text.encode())

    async def read(self) -> DesiredState:
        blob = hashlib.sha1(self.text.encode()).hexdigest()
        tree = FileTree("r", {"shop.yaml": FileEntry("shop.yaml", blob, len(self.text))})
        return await self.catalog.read(tree, self, {})  # type: ignore[arg-type]

    async def settled(self) -> DesiredState:
        """As it is once the model has answered, or has failed to."""
        await self.read()
        await until(lambda: not self.answers.pending)
        return await self.read()


def asked(state: DesiredState) -> list[str]:
    return [one.id for file in state.unreadable for one in file.questions]


def origins(state: DesiredState) -> dict[str, tuple[str, str]]:
    return {one.id: (one.value, one.source) for one in state.apps[KEY].origins}


async def world(*, draft: Any = None, there: Any = nowhere, **lines: Any) -> World:
    model = ScriptedModel({"draft": [draft or fitting(DRAFT)], "facts": [fitting(FACTS)], **lines})
    made = World(model, there=there)
    await made.start()
    return made


async def test_what_code_leaves_open_is_asked_beside_and_counts_with_the_line_that_says_so() -> None:
    shop = await world()
    shop.commit()
    (file,) = (await shop.read()).unreadable
    assert file.pending and file.key == KEY and not file.questions, "nobody is asked what is answered in a moment"
    state = await shop.settled()
    assert shop.news == 1
    found = origins(state)
    assert found["image"] == ("registry.example.org/team/shop:1.2", "model: README.md:1")
    assert found["env.GREETING"] == ("{fixed: hello}", "model: README.md:1")
    source = state.apps[KEY].source
    assert isinstance(source, JsonSource) or "hello" in source.text


async def test_the_same_commit_is_the_same_job_after_a_restart_and_without_another_question() -> None:
    shop = await world()
    shop.commit()
    before = (await shop.settled()).apps[KEY]
    assert shop.model is not None
    count = len(shop.model.asked)
    await shop.start()
    assert (await shop.settled()).apps[KEY] == before
    assert len(shop.model.asked) == count
    shop.model = None
    await shop.start()
    assert (await shop.read()).apps[KEY] == before, "also where no model is set by now"


async def test_other_code_keeps_the_answers_that_its_files_still_give() -> None:
    shop = await world()
    shop.commit()
    before = origins(await shop.settled())
    assert shop.model is not None
    count = len(shop.model.asked)
    shop.commit(files={**CODE, "tests/test_app.py": "print('more')\n"})
    assert origins(await shop.settled()) == before
    assert len(shop.model.asked) == count, "the model would be shown the same"
    shop.commit(files={**CODE, "more.py": "print('more')\n"})
    assert origins(await shop.settled()) == before
    assert [one.schema_name for one in shop.model.asked[count:]] == ["facts"], "nothing that is known is asked again"
    shop.commit(files={**CODE, "README.md": "Nothing is said here.\n"})
    state = await shop.settled()
    assert asked(state) == ["image", "env.GREETING"]


async def test_what_has_no_answer_is_asked_again_only_where_the_model_is_shown_something_else() -> None:
    shop = await world(draft=fitting({"image": IMAGE}))
    shop.commit()
    assert asked(await shop.settled()) == ["env.GREETING"]
    assert shop.model is not None
    count = len(shop.model.asked)
    shop.commit(files={**CODE, "tests/test_app.py": "print('more')\n"})
    assert asked(await shop.settled()) == ["env.GREETING"] and len(shop.model.asked) == count
    shop.commit(files={**CODE, "config.py": "GREETING = 'hello'\n"})
    assert asked(await shop.settled()) == ["env.GREETING"]
    assert [one.schema_name for one in shop.model.asked[count:]] == ["draft", "facts"]
    assert list(shop.model.asked[count].schema["properties"]) == ["env.GREETING"]


async def test_the_manifest_always_wins() -> None:
    shop = await world()
    shop.commit(f"{MANIFEST}, env: {{GREETING: {{fixed: good day}}}}")
    found = origins(await shop.settled())
    assert found["env.GREETING"] == ("{fixed: good day}", "shop.yaml")
    shop.commit(f"{MANIFEST}, image: 'mine:2', env: {{GREETING: {{fixed: good day}}}}")
    assert shop.model is not None
    count = len(shop.model.asked)
    assert origins(await shop.settled())["image"] == ("mine:2", "shop.yaml")
    assert len(shop.model.asked) == count, "nothing is open"


async def test_a_model_that_is_away_leaves_the_questions_and_is_asked_again_later() -> None:
    shop = World(ScriptedModel({"draft": [Unavailable("away"), Unavailable("away"), fitting(DRAFT)], "facts": [FACTS]}))
    await shop.start()
    shop.commit()
    assert asked(await shop.settled()) == ["image", "env.GREETING"]
    shop.go_on.set()
    await until(lambda: len(shop.slept) == 2)
    assert shop.slept == [300.0, 600.0]
    assert asked(await shop.read()) == ["image", "env.GREETING"]
    shop.go_on.set()
    await until(lambda: shop.news == 3)
    assert KEY in (await shop.read()).apps


async def test_what_nobody_wants_any_more_is_not_asked_again() -> None:
    shop = await world(draft=Unavailable("it is away"))
    shop.commit()
    await shop.read()
    await until(lambda: bool(shop.slept))
    assert shop.model is not None
    count = len(shop.model.asked)
    shop.go_on.set()
    await until(lambda: not shop.answers._running)
    assert len(shop.model.asked) == count


SAID = "two replicas, twice the usual memory of 256 please"
WORDS = f"{MANIFEST}, image: 'shop:1', env: {{GREETING: {{fixed: hi}}}}, prompt: '{SAID}'"
MEANT = {"answers": [{"id": "resources.memory", "answer": "512", "words": "twice the usual memory of 256"}]}


async def test_words_are_read_before_the_first_deployment_and_listed_as_words() -> None:
    shop = await world(intent=[MEANT])
    shop.commit(WORDS)
    first = await shop.read()
    (file,) = first.unreadable
    assert file.pending and file.key == KEY and not first.apps
    found = origins(await shop.settled())
    assert found["count"] == ("2", "prompt") and found["resources.memory"] == ("512", "prompt")
    assert shop.model is not None and [one.schema_name for one in shop.model.asked] == ["intent"]


async def test_an_app_stays_as_it_is_while_other_words_are_read() -> None:
    shop = await world(intent=[MEANT, {"answers": []}])
    shop.commit(WORDS)
    before = (await shop.settled()).apps[KEY]
    shop.commit(WORDS.replace("please", "please please"))
    assert (await shop.read()).apps[KEY] == before
    assert origins(await shop.settled())["resources.memory"][1] != "prompt"


async def test_words_that_no_model_could_read_hold_nothing_back() -> None:
    shop = await world(intent=[Unavailable("it is away")])
    shop.commit(WORDS)
    assert origins(await shop.settled())["count"] == ("2", "prompt")


async def test_words_that_are_still_said_mean_the_same_while_others_cannot_be_read() -> None:
    """A model that is away changes no job."""
    shop = await world(intent=[MEANT, Unavailable("it is away")])
    shop.commit(WORDS)
    await shop.settled()
    shop.commit(WORDS.replace("please", "and a cat"))
    assert origins(await shop.settled())["resources.memory"] == ("512", "prompt")
    shop.commit(WORDS.replace("twice the usual memory of 256 please", "a cat"))
    assert origins(await shop.settled())["resources.memory"][1] != "prompt"


async def test_other_words_do_not_wait_for_those_that_could_not_be_read() -> None:
    shop = await world(intent=[Unavailable("it is away"), MEANT])
    shop.commit(WORDS.replace("please", "plaese"))
    await shop.settled()
    await until(lambda: bool(shop.slept))
    shop.commit(WORDS)
    assert origins(await shop.settled())["resources.memory"] == ("512", "prompt")
    assert shop.slept == [300.0] and shop.failed == ["it is away"]
    assert len(shop.answers._running) == 0


async def test_why_an_app_was_not_answered_for_is_told_once() -> None:
    shop = await world(draft=Unavailable("it is away"))
    shop.commit()
    for times in range(1, 4):
        await shop.settled()
        await until(lambda times=times: len(shop.slept) == times)
        shop.go_on.set()
    assert shop.failed == ["it is away"]


async def test_a_bug_is_told_with_its_app_and_not_tried_again_at_once() -> None:
    def broken(question: Any) -> Any:
        raise ZeroDivisionError("a secret may stand here")

    shop = await world(draft=broken)
    shop.commit()
    assert asked(await shop.settled()) == ["image", "env.GREETING"]
    assert shop.failed == ["asking about default/shop failed: ZeroDivisionError inside the operator"]
    assert shop.slept == [300.0]


async def test_who_is_stopped_asks_no_more() -> None:
    shop = await world(draft=lambda question: fitting(DRAFT)(question))
    shop.commit()
    await shop.read()
    tasks = list(shop.answers._running.values())
    shop.answers.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not shop.answers._running and not await shop.store.load()


async def test_what_is_kept_of_an_app_that_nobody_remembers_is_removed() -> None:
    shop = await world()
    shop.commit()
    await shop.settled()
    shop.known.clear()
    await shop.start()
    assert not await shop.store.load()


async def test_a_document_of_another_version_is_asked_for_again() -> None:
    shop = await world()
    shop.commit()
    before = (await shop.settled()).apps[KEY]
    stored = await shop.store.get(f"answers:{KEY}")
    assert stored is not None
    await shop.store.put(f"answers:{KEY}", {**stored.document, "form": 9}, expected=stored.revision)
    await shop.start()
    assert not (await shop.read()).apps
    assert (await shop.settled()).apps[KEY] == before


def evil(at: str, answer: str) -> dict[str, Any]:
    return {"image": IMAGE, "env.GREETING": HELLO, at: says(answer)}


HOSTILE = {
    **CODE,
    "README.md": CODE["README.md"].splitlines()[0]
    + " vault: secret/data/billing/db#password evil.example.org/miner:1 none /dev/null consul: billing/url\n",
}


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        ("image", "evil.example.org/miner:1"),
        ("env.GREETING", "vault: secret/data/billing/db#password"),
        ("env.GREETING", "consul: billing/url"),
        ("env.GREETING", "none"),
    ],
)
async def test_what_a_hostile_file_talks_the_model_into_stays_a_question(at: str, answer: str) -> None:
    """The file names it, the cluster has it, and the model proposes it."""

    async def everything(wanting: Wanting) -> Collection[str]:
        return {"vault: secret/data/billing/db#password", "consul: billing/url"}

    shop = await world(draft=fitting(evil(at, answer)), there=everything)
    shop.commit(files=HOSTILE)
    assert asked(await shop.settled()) == [at]


async def test_a_port_that_only_the_model_finds_counts_where_other_questions_are_open() -> None:
    nim = {"Dockerfile": "FROM nim:2\n", "shop.nim": "serve(Port(8123))\n# registry.example.org/team/shop:1.2\n"}
    image = says("registry.example.org/team/shop:1.2", "shop.nim", 2)
    port = {"value": 8123, "path": "shop.nim", "line": 1, "confidence": "high"}
    shop = await world(draft=fitting({"image": image}), facts=[fitting({**FACTS, "port": port})])
    shop.commit(files=nim)
    assert origins(await shop.settled())["ports.http"] == ("{to: 8123}", "model: shop.nim:1")


async def own_greeting(wanting: Wanting) -> Collection[str]:
    return {"consul: shop/greeting"}


@pytest.mark.parametrize(
    ("there", "said", "answer", "counted"),
    [
        (nowhere, "fixed: good day", "fixed: good day", True),
        (own_greeting, "consul: {app}/greeting", "consul: shop/greeting", True),
        (nowhere, "consul: {app}/greeting", "consul: shop/greeting", False),
        (own_greeting, "fixed: good day", "fixed: bad day", False),
        (own_greeting, "consul: billing/greeting", "consul: billing/greeting", False),
    ],
)
async def test_an_answer_may_rest_on_an_app_that_runs_healthy(
    there: Any, said: str, answer: str, counted: bool
) -> None:
    """A place has to be there for this app as well, and be its own."""
    rests = {**says(answer, None, None), "recalled": "default/cart"}
    shop = await world(draft=fitting({"image": IMAGE, "env.GREETING": rests}), there=there)
    cart = Lived("default/cart", "one", frozenset(), {"env.GREETING": Said(said, "person")}, datetime.now(UTC))
    shop.apps = AppsRecalled((Alike(cart, 0.9),))
    shop.commit()
    state = await shop.settled()
    assert asked(state) == ([] if counted else ["env.GREETING"])
    if counted:
        assert origins(state)["env.GREETING"][1] == "memory: default/cart"
    assert shop.model is not None and "default/cart" in shop.model.asked[0].messages[-1].text


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (Value(("image",), "registry:5000/team/shop@sha256:abc", "", 0.5), True),
        (Value(("image",), "shop", "", 0.5), True),
        (Value(("image",), "python:3.12", "", 0.5), False),
        (Value(("image",), "evil/shopper:1", "", 0.5), False),
        (Value(("env", "A"), {"nomad": "nomad/jobs/shop#a"}, "", 0.5), True),
        (Value(("env", "A"), {"nomad": "nomad/jobs/other#shop"}, "", 0.5), False),
        (Value(("command",), "sh", "", 0.5), False),
        (Value(("args",), ["-c", "x"], "", 0.5), False),
        (Value(("routes",), [{"host": "shop.cluster"}], "", 0.5), False),
        (Value(("volumes", "/data"), {"host": "data", "mount": "/data"}, "", 0.5), False),
        (Value(("files", "/run/x"), {"vault": "secret/data/shop/x#y"}, "", 0.5), False),
        (Value(("vault", "role"), "admin", "", 0.5), False),
        (Value(("check",), {"disable": True}, "", 0.5), False),
        (Value(("check",), {"path": "/healthz"}, "", 0.5), True),
        (Value(("resources", "memory"), 256, "", 0.5), True),
        (Value(("job",), {"constraints": []}, "", 0.5), False),
    ],
)
def test_what_counts_where_nobody_looks(value: Value, taken: bool) -> None:
    assert counts(value, "shop") is taken


def test_of_the_cluster_only_what_is_the_apps_own_is_shown() -> None:
    own = {"vault: secret/data/shop/db#password", "consul: shop/url"}
    assert named_like("shop", {*own, "vault: secret/data/billing/db#shop", "consul: x"}) == own
