"""What of a codebase runs as apps of their own, what they are called, and by which names they find each other."""

from __future__ import annotations

import pytest

from desired.draft.drafting import Context, draft
from desired.facts.analyze import analyze
from desired.facts.components import slug
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase

DOCKERFILE = "FROM x\n"


def names(files: dict[str, str], name: str = "shop", dockerfile: str | None = None) -> list[str]:
    return [one.component.name for one in analyze(MemoryCodebase(files, name), dockerfile).apps]


NAMED: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "nothing at all": ({"README.md": "hello"}, "shop", ["shop"]),
    "code alone": ({"main.py": "print(1)"}, "My Shop_2", ["my-shop-2"]),
    "a Dockerfile": ({"Dockerfile": DOCKERFILE}, "shop", ["shop"]),
    "a Dockerfile further down": ({"services/ledger/Dockerfile": DOCKERFILE}, "shop", ["ledger"]),
    "a folder whose name says nothing, below one whose name does": (
        {"cart/src/Dockerfile": DOCKERFILE},
        "shop",
        ["cart"],
    ),
    "a name of no letters": ({"Dockerfile": DOCKERFILE}, "___", ["app"]),
    "a folder whose name says nothing, and an image whose name does": (
        {"Dockerfile": DOCKERFILE, "build.yaml": "image_name: r.io/team/billing:1"},
        "src",
        ["billing"],
    ),
    "the name of the build file": (
        {"Dockerfile": DOCKERFILE, "build.yaml": "image_name: billing"},
        "shop",
        ["billing"],
    ),
    "a Procfile's processes": (
        {"Procfile": "web: a\nworker: b\nbeat: c d\nrelease: e\n# no: x\n", "Dockerfile": DOCKERFILE},
        "shop",
        ["shop", "shop-worker", "shop-beat"],
    ),
    "a Procfile without a web process": ({"Procfile": "worker: b\nclock: c\n", "main.py": "1"}, "shop", ["shop"]),
    "folders beside each other, each with a Dockerfile": (
        {"api/Dockerfile": DOCKERFILE, "api/dev.Dockerfile": DOCKERFILE, "worker/Dockerfile": DOCKERFILE},
        "shop",
        ["api", "worker"],
    ),
    "one of them is in another": (
        {"api/Dockerfile": DOCKERFILE, "api/tools/Dockerfile": DOCKERFILE},
        "shop",
        ["shop"],
    ),
    "one of them is for development": (
        {"api/Dockerfile": DOCKERFILE, "test/Dockerfile": DOCKERFILE},
        "shop",
        ["shop"],
    ),
    "one for all of them": (
        {"Dockerfile": DOCKERFILE, "api/Dockerfile": DOCKERFILE, "worker/Dockerfile": DOCKERFILE},
        "shop",
        ["shop"],
    ),
    "a project at the root": (
        {"package.json": "{}", "api/Dockerfile": DOCKERFILE, "worker/Dockerfile": DOCKERFILE},
        "shop",
        ["shop"],
    ),
    "services": (
        {"compose.yaml": "services: {a: {build: .}, b: {build: .}, db: {image: x}}", "Dockerfile": DOCKERFILE},
        "shop",
        ["a", "b", "db"],
    ),
    "the only service with code is the codebase": (
        {"compose.yaml": "services: {web: {build: .}, db: {image: x}}", "Dockerfile": DOCKERFILE},
        "shop",
        ["shop", "db"],
    ),
    "the only service with code, and a name that says something": (
        {"compose.yaml": "services: {checkout: {build: .}, db: {image: x}}", "Dockerfile": DOCKERFILE},
        "shop",
        ["checkout", "db"],
    ),
    "what the app needs, and the app": (
        {"compose.yaml": "services: {db: {image: x}}", "Dockerfile": DOCKERFILE},
        "shop",
        ["shop", "db"],
    ),
    "what the app needs, and code without a Dockerfile": (
        {"compose.yaml": "services: {db: {image: x}}", "package.json": "{}"},
        "shop",
        ["shop", "db"],
    ),
    "services alone": ({"compose.yaml": "services: {db: {image: x}, ui: {image: y}}"}, "shop", ["db", "ui"]),
    "an image of the codebase's own name is its own": (
        {"compose.yaml": "services: {web: {image: r.io/shop}}", "Dockerfile": DOCKERFILE},
        "shop",
        ["shop"],
    ),
    "names that differ only in their signs": (
        {"compose.yaml": "services: {a_b: {image: x}, a-b: {image: x}, a.b: {image: x}}"},
        "shop",
        ["a-b", "a-b-2", "a-b-3"],
    ),
}


@pytest.mark.parametrize("case", NAMED, ids=str)
def test_apps_are_called_so(case: str) -> None:
    files, name, expected = NAMED[case]
    assert names(files, name) == expected


def test_a_dockerfile_that_was_chosen_is_the_only_app() -> None:
    files = {
        "compose.yaml": "services: {a: {build: a}, b: {build: b}, db: {image: x}}",
        "a/Dockerfile": DOCKERFILE,
        "b/Dockerfile": DOCKERFILE,
        "tools/Dockerfile": DOCKERFILE,
    }
    assert names(files, dockerfile="b/Dockerfile") == ["b"]
    assert names(files, dockerfile="tools/Dockerfile") == ["tools"]


def test_apps_find_each_other_by_all_the_names_that_compose_gives_them() -> None:
    files = {
        "compose.yaml": """
            services:
              web: {build: ., depends_on: [db]}
              db:
                image: postgres
                container_name: shop_db
                hostname: ${DB:-database}
                networks: {back: {aliases: [sql, store]}, front: }
        """,
        "Dockerfile": DOCKERFILE,
    }
    found = analyze(MemoryCodebase(files, "shop"))
    assert found.hosts == {
        "web": "shop", "db": "db", "shop_db": "db", "database": "db", "sql": "db", "store": "db",
    }  # fmt: skip
    assert list(found.apps[0].facts.depends_on) == ["db"]


def test_what_depends_on_a_renamed_app_depends_on_its_new_name() -> None:
    files = {
        "compose.yaml": "services: {web: {build: .}, proxy: {image: nginx, depends_on: [web]}}",
        "Dockerfile": DOCKERFILE,
    }
    found = analyze(MemoryCodebase(files, "shop"))
    assert {name: fact.value for name, fact in found.apps[1].facts.depends_on.items()} == {"shop": "shop"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("A_b.C", "a-b-c"), ("-x-", "x"), ("é", "app"), ("", "app"), ("a" * 80, "a" * 63), ("a" * 62 + "-b", "a" * 62)],
)
def test_a_name_is_made_of_small_letters_digits_and_dashes(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_process_of_a_procfile_runs_its_own_command_and_listens_nowhere() -> None:
    files = {
        "Procfile": "web: gunicorn app:app\nworker: celery -A app worker\n",
        "Dockerfile": "FROM python:3.12\nEXPOSE 8000\nHEALTHCHECK CMD curl -f http://localhost:8000/up\n",
    }
    web, worker = analyze(MemoryCodebase(files, "shop")).apps
    assert list(web.facts.ports) == [8000] and web.facts.health is not None
    assert not worker.facts.ports and worker.facts.health is None
    assert worker.facts.command is not None
    assert (worker.facts.command.value, str(worker.facts.command.place)) == (
        ("celery", "-A", "app", "worker"),
        "Procfile:2",
    )


def test_a_process_forgets_how_the_web_process_is_started_and_a_shell_puts_variables_in() -> None:
    files = {
        "Procfile": "web: uvicorn main:app --port $PORT\nclock: python clock.py\nworker: run --n ${N:-2}\n",
        "requirements.txt": "fastapi\nuvicorn\n",
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    }
    web, clock, worker = analyze(MemoryCodebase(files, "shop")).apps
    assert web.facts.entrypoint is not None
    assert web.facts.entrypoint.value == ("sh", "-c", "uvicorn main:app --port $PORT")
    assert web.facts.env_uses["PORT"].value.required
    assert clock.facts.entrypoint is None and clock.facts.command is not None
    assert clock.facts.command.value == ("python", "clock.py")
    assert worker.facts.command is not None and worker.facts.command.value == ("sh", "-c", "run --n ${N:-2}")
    assert "N" not in worker.facts.env_uses


def test_a_command_that_holds_a_secret_is_asked_for_and_not_replaced_by_another() -> None:
    token = "ghp_" + "a1B2" * 9
    files = {
        "Procfile": f"web: gunicorn app:app\nworker: python w.py --token {token}\n", "requirements.txt": "flask\n",
    }  # fmt: skip
    _, worker = analyze(MemoryCodebase(files, "shop")).apps
    made = draft("shop-worker", worker.facts, Context())
    assert "command" in [one.id for one in made.questions]
    assert "command" not in made.spec and "job" not in made.spec
    assert token not in repr(made) + repr(worker.facts)


def test_a_token_in_the_path_of_a_check_is_left_out() -> None:
    files = {"Dockerfile": "FROM x\nEXPOSE 80\nHEALTHCHECK CMD wget -q http://localhost/health?token=querytok12345\n"}
    (app,) = analyze(MemoryCodebase(files, "shop")).apps
    assert app.facts.health is None and "querytok12345" not in repr(app)
