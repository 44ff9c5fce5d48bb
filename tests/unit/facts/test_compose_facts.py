"""What a compose file says of a service, in all the ways in which compose lets it be said."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from desired.facts.analyze import Analysis, analyze
from desired.facts.codebase import Component
from desired.facts.compose_facts import extractor
from desired.facts.compose_file import compose
from tests.unit.facts.app_code.memory_codebase import MemoryCodebase
from tests.unit.facts.told_facts import lines, told


def codebase(files: dict[str, str]) -> MemoryCodebase:
    return MemoryCodebase({name: dedent(text) for name, text in files.items()}, "shop")


def said(files: dict[str, str], service: str = "web") -> dict[str, Any]:
    """All that is known of the service, but its name."""
    extraction = extractor.extract(codebase(files), Component(service, service=service))
    assert [str(problem) for problem in extraction.warnings] == []
    found = told(extraction.facts)
    assert found.pop("name") == service
    return found


def warned(files: dict[str, str]) -> list[str]:
    return [str(problem) for problem in analyze(codebase(files)).warnings]


# What stands below `services: {web: …}`, and all that it says.
SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "an image": ("image: nginx", {"image_name": "nginx"}),
    "an image in all its parts": (
        "image: registry.cluster:5000/team/web:1.10",
        {"registry": "registry.cluster:5000", "image_name": "team/web", "image_tag": "1.10"},
    ),
    "an image by its digest": (
        f"image: ghcr.io/a/b@sha256:{'0' * 64}",
        {"registry": "ghcr.io", "image_name": "a/b", "image_tag": f"sha256:{'0' * 64}"},
    ),
    "an image by variables with defaults": (
        "image: ${REGISTRY:-r.io}/web:${TAG-2}",
        {"registry": "r.io", "image_name": "web", "image_tag": "2"},
    ),
    "an image whose tag nobody knows": ("image: r.io/web:${TAG}", {"registry": "r.io", "image_name": "web"}),
    "an image whose registry nobody knows": ("image: ${REGISTRY}/web:${TAG:-1}", {"image_name": "web"}),
    "ports, short": (
        'ports: ["80", "8080:8081", "127.0.0.1:9000:9001", "53:53/udp", 3000]',
        {
            "ports": {
                "80": "80",
                "8081": "8081 (on the host 8080)",
                "9001": "9001 (on the host 9000)",
                "53": "53/udp (on the host 53)",
                "3000": "3000",
            }
        },
    ),
    "ports, ranges": (
        'ports: ["3000-3001", "9090-9091:8080-8081", "7000-8000:70"]',
        {
            "ports": {
                "3000": "3000",
                "3001": "3001",
                "8080": "8080 (on the host 9090)",
                "8081": "8081 (on the host 9091)",
                "70": "70 (on the host 7000)",
            }
        },
    ),
    "ports, of IPv6 and by variables": (
        'ports: ["[::1]:6001:6000", "${PORT:-8080}:80", "${P}:90"]',
        {"ports": {"6000": "6000 (on the host 6001)", "80": "80 (on the host 8080)", "90": "90"}},
    ),
    "ports, long": (
        "ports: [{target: 80, published: '8080', protocol: tcp, mode: host}, {target: 90}, {target: 5, protocol: udp}]",
        {"ports": {"80": "80 (on the host 8080)", "90": "90", "5": "5/udp"}},
    ),
    "a number that older YAML read by sixties": ("ports: [22:22]", {"ports": {"22": "22 (on the host 22)"}}),
    "a port that is published and exposed": ('ports: ["80:80"]\nexpose: [80, "81/tcp", "90-91"]', {
        "ports": {"80": "80 (on the host 80)", "81": "81", "90": "90", "91": "91"}
    }),
    "one number of two protocols": ('ports: ["53:53/udp", "53:53/tcp"]', {"ports": {"53": "53 (on the host 53)"}}),
    "ports that are none": ('ports: ["0", "70000", "a:b", "1:2:3:4:5", "", {target: x}]\nexpose: [-1]', {}),
    "the environment as a mapping": (
        "environment: {A: 1, B: true, C: 'yes', D: 1.10, E: '', F: \"a=b\", G: yes}",
        {"env": {"A": "1", "B": "true", "C": "yes", "D": "1.10", "E": "", "F": "a=b", "G": "yes"}},
    ),
    "the environment as a list": (
        'environment: ["A=1", "B=x=y", "C="]',
        {"env": {"A": "1", "B": "x=y", "C": ""}},
    ),
    "what whoever starts it passes on": (
        "environment: {A: , B: '${B}', C: '${C:?say it}', D: 'x${D:-y}', E: '$$E'}",
        {"env": {"D": "xy", "E": "$E"}, "env_uses": {"A": "required", "B": "required", "C": "required"}},
    ),
    "a name alone in a list": ("environment: [A]", {"env_uses": {"A": "required"}}),
    "defaults inside of defaults": ("environment: {A: '${X:-${Y:-z}}-${Z:+q}'}", {"env": {"A": "z-"}}),
    "secrets by their names alone": (
        "environment: {DB_PASSWORD: hunter2, URL: 'amqp://u:p@mq', TOKEN: '${T:-abc123}', SECRET_KEY: ''}",
        {
            "env": {"SECRET_KEY": ""},
            "secret_literals": {"DB_PASSWORD": "DB_PASSWORD", "URL": "URL", "TOKEN": "TOKEN"},
        },
    ),
    "a command as a text": ("command: npm run 'start it' -- $$PORT", {"command": "npm run start it -- $PORT"}),
    "a command as a list": ("command: [a, 1, true]\nentrypoint: /init", {"entrypoint": "/init", "command": "a 1 true"}),
    "a text that no shell understands": ("command: \"it's\"", {}),
    "who and where": ("user: 1000:1000\nworking_dir: /srv", {"working_dir": "/srv", "user": "1000:1000"}),
    "a health check for a shell": (
        "healthcheck: {test: 'curl -f http://localhost:3000/health || exit 1', interval: 30s}",
        {"health": "/health (port 3000)"},
    ),
    "a health check as a list": (
        'healthcheck: {test: ["CMD", "wget", "--spider", "http://127.0.0.1/up"]}',
        {"health": "/up (port 80)"},
    ),
    "a health check for a shell as a list": (
        'healthcheck: {test: ["CMD-SHELL", "pg_isready -U $${POSTGRES_USER}"]}\nenvironment: {POSTGRES_USER: shop}',
        {"health": "pg_isready -U shop", "env": {"POSTGRES_USER": "shop"}},
    ),
    "no health check": ('healthcheck: {test: ["NONE"]}', {}),
    "a health check that is off": ("healthcheck: {test: curl localhost, disable: true}", {}),
    "what it may take": (
        "deploy: {replicas: 3, resources: {limits: {cpus: '0.50', memory: 512M}, reservations: {memory: 1G}}}",
        {"count": "3", "cpu": "500", "memory": "512"},
    ),
    "what it was promised": (
        "deploy: {resources: {reservations: {cpus: 2, memory: 1gb}}}",
        {"cpu": "2000", "memory": "1024"},
    ),
    "what it may take, the old way": (
        "cpus: 1.5\nmem_limit: 268435456\nscale: 2",
        {"count": "2", "cpu": "1500", "memory": "256"},
    ),
    "a GPU": (
        "deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 2, capabilities: [gpu]}]}}}",
        {"gpu": "2"},
    ),
    "all GPUs": (
        "deploy: {resources: {reservations: {devices: [{capabilities: [[gpu]], count: all}]}}}\ngpus: all",
        {"gpu": "1"},
    ),
    "GPUs by their ids": (
        "deploy: {resources: {reservations: {devices: [{capabilities: [gpu], device_ids: ['0', '3']}]}}}",
        {"gpu": "2"},
    ),
    "a GPU, the old way": ("runtime: nvidia", {"gpu": "1"}),
    "an architecture": ("platform: linux/arm64/v8", {"architecture": "arm64"}),
    "what is always started again": ("restart: unless-stopped", {"kind": "service"}),
    "volumes": (
        "volumes: ['data:/data', '/srv/x:/x:ro', '/anonymous', '~/y:/y', {type: volume, source: l, target: /l}]",
        {
            "volumes": {
                "/data": "data:/data",
                "/x": "/srv/x:/x",
                "/anonymous": "/anonymous",
                "/y": "~/y:/y",
                "/l": "l:/l",
            }
        },
    ),
    "what is nothing to be kept": (
        "volumes: ['/var/run/docker.sock:/var/run/docker.sock', '/app/node_modules', {type: tmpfs, target: /tmp},"
        " '/etc/localtime:/etc/localtime:ro']",
        {},
    ),
    "secrets as files": (
        "secrets: [a, {source: b, target: /etc/b.key}, {source: c, target: c.txt}]",
        {"secret_files": {"/run/secrets/a": "a", "/etc/b.key": "b", "/run/secrets/c.txt": "c"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID, ids=str)
def test_a_service_says_this_and_nothing_else(case: str) -> None:
    text, expected = SAID[case]
    body = "\n".join(f"    {line}" for line in text.split("\n"))
    assert said({"compose.yaml": f"services:\n  web:\n{body}\n"}) == expected


def test_an_override_file_adds_to_lists_and_replaces_values() -> None:
    files = {
        "compose.yaml": """\
            services:
              web:
                image: web:1
                command: a
                environment: {A: 1, B: 1}
                ports: ["80:8080"]
                volumes: ["one:/data"]
                healthcheck: {test: curl http://localhost/h, interval: 5s}
                deploy: {replicas: 2, resources: {limits: {memory: 256M}}}
                depends_on: [db]
              db: {image: postgres}
            """,
        "compose.override.yaml": """\
            services:
              web:
                image: web:2
                environment: ["B=2", "C=2"]
                ports: ["81:8081", "90:8080"]
                volumes: ["two:/data"]
                healthcheck: {interval: 9s}
                deploy: {resources: {limits: {cpus: 1}}}
                depends_on: {cache: {condition: service_started}}
              cache: {image: redis}
            """,
    }
    assert said(files) == {
        "image_name": "web",
        "image_tag": "2",
        "command": "a",
        "env": {"A": "1", "B": "2", "C": "2"},
        "ports": {"8081": "8081 (on the host 81)", "8080": "8080 (on the host 90)"},
        "volumes": {"/data": "two:/data"},
        "health": "/h (port 80)",
        "count": "2",
        "cpu": "1000",
        "memory": "256",
        "depends_on": {"db": "db", "cache": "cache"},
    }
    facts = extractor.extract(codebase(files), Component("web", service="web")).facts
    assert facts.health is not None and facts.health.value.interval is not None
    assert facts.health.value.interval.total_seconds() == 9
    assert lines(facts)["env.B"] == "compose.override.yaml:4" and lines(facts)["env.A"] == "compose.yaml:5"


def test_a_service_extends_another_of_the_same_file_and_of_another() -> None:
    files = {
        "compose.yaml": """\
            services:
              web:
                extends: {file: base/common.yaml, service: app}
                environment: {B: web}
              worker:
                extends: web
                command: work
            """,
        "base/common.yaml": """\
            services:
              app:
                extends: {service: root}
                environment: {A: app, B: app}
                env_file: app.env
              root:
                image: app:1
                environment: {A: root, Z: root}
            """,
        "base/app.env": "F=1\n",
    }
    expected = {
        "image_name": "app",
        "image_tag": "1",
        "env": {"F": "1", "A": "app", "Z": "root", "B": "web"},
    }
    assert said(files) == expected
    assert said(files, "worker") == {**expected, "command": "work"}


def test_what_extends_itself_ends() -> None:
    files = {"compose.yaml": "services:\n  a: {extends: b, image: x}\n  b: {extends: {service: a}, user: u}\n"}
    assert said(files, "a") == {"image_name": "x", "user": "u"}


def test_anchors_and_merge_keys_are_taken_with_the_lines_of_what_they_stand_for() -> None:
    files = {
        "docker-compose.yml": """\
            x-env: &env
              A: "1"
              B: "1"
            x-app: &app
              image: app:1
              environment: &more
                <<: *env
                B: "2"
            services:
              web:
                <<: *app
                environment:
                  <<: [*more, *env]
                  C: "3"
            """
    }
    assert said(files) == {"image_name": "app", "image_tag": "1", "env": {"C": "3", "B": "2", "A": "1"}}
    facts = extractor.extract(codebase(files), Component("web", service="web")).facts
    assert lines(facts)["env.B"] == "docker-compose.yml:8" and lines(facts)["env.A"] == "docker-compose.yml:2"


def test_included_files_bring_their_services() -> None:
    files = {
        "compose.yaml": "include: [infra/db.yaml, {path: [cache.yaml]}]\nservices: {web: {build: .}}\n",
        "infra/db.yaml": "include: [more.yaml]\nservices:\n  db: {image: postgres, env_file: db.env}\n",
        "infra/more.yaml": "services:\n  mail: {image: mailpit}\n",
        "infra/db.env": "POSTGRES_DB=shop\n",
        "cache.yaml": "services:\n  cache: {image: redis}\n",
        "Dockerfile": "FROM x\n",
    }
    found = analyze(codebase(files))
    assert [one.component.name for one in found.apps] == ["shop", "mail", "cache", "db"]
    assert found.warnings == ()
    assert told(found.apps[3].facts)["env"] == {"POSTGRES_DB": "shop"}


def test_an_included_file_counts_its_paths_from_its_own_folder_or_from_one_that_is_named() -> None:
    files = {
        "compose.yaml": "include: [{path: a/x.yaml, project_directory: .}, b/x.yaml]\nservices: {web: {image: x}}\n",
        "a/x.yaml": "services: {one: {build: ./one, env_file: one.env, volumes: ['./one:/code']}}\n",
        "b/x.yaml": "services: {two: {build: ./two, env_file: two.env}}\n",
        "one/Dockerfile": "FROM x\n",
        "b/two/Dockerfile": "FROM x\n",
        "one.env": "A=1\n",
        "b/two.env": "B=2\n",
    }
    found = analyze(codebase(files))
    assert found.warnings == ()
    by_name = {one.component.name: one for one in found.apps}
    assert by_name["one"].component.dockerfile == "one/Dockerfile" and list(by_name["one"].facts.env) == ["A"]
    assert by_name["two"].component.dockerfile == "b/two/Dockerfile" and list(by_name["two"].facts.env) == ["B"]
    assert not by_name["one"].facts.volumes


def test_a_command_of_which_only_whoever_starts_it_knows_a_part_is_unsure() -> None:
    text = "services: {web: {image: x, command: 'serve --name ${NAME}'}, b: {image: x, command: [a, '${B:-b}']}}\n"
    facts = [one.facts.command for one in analyze(codebase({"compose.yaml": text})).apps]
    assert [(one.confidence, one.reason) for one in facts if one is not None] == [
        (0.4, "only whoever starts it knows NAME"),
        (0.7, ""),
    ]


def test_files_of_variables_give_way_to_the_service_and_later_ones_to_earlier() -> None:
    files = {
        "compose.yaml": """\
            services:
              web:
                env_file: [a.env, {path: b.env, required: false}, {path: nowhere.env, required: false}]
                environment: {C: service}
            """,
        "a.env": "# none\nA=a\nB=a\nC=a\nexport E='x y' # why\nF=\"q\"\nG=a b # c\n\nnonsense\nTOKEN=abc123\n"
        "H='$A'\nI=${I}\n",
        "b.env": "B=b\r\n",
    }
    assert said(files) == {
        "env": {"A": "a", "E": "x y", "F": "q", "G": "a b", "H": "$A", "B": "b", "C": "service"},
        "env_uses": {"I": "required"},
        "secret_literals": {"TOKEN": "TOKEN"},
    }


def test_an_env_file_that_is_not_there_or_hidden_is_told() -> None:
    files = {"compose.yaml": "services:\n  web:\n    image: x\n    env_file:\n      - .env\n      - ../out.env\n"}
    message = "names an env_file that is not in the codebase: what it sets is not known"
    assert warned(files) == [f"compose.yaml:5: {message}", f"compose.yaml:6: {message}"]


def test_secrets_are_called_as_the_file_declares_them() -> None:
    files = {
        "compose.yaml": """\
            services:
              web: {image: x, secrets: [db, api, cert]}
            secrets:
              db: {external: true, name: prod_db}
              api: {environment: API_KEY}
              cert: {file: ./cert.pem}
            """
    }
    files_found = {"/run/secrets/db": "prod_db", "/run/secrets/api": "api (API_KEY)", "/run/secrets/cert": "cert"}
    assert said(files) == {"image_name": "x", "secret_files": files_found}


def test_what_others_wait_for_to_end_runs_once() -> None:
    files = {
        "compose.yaml": """\
            services:
              web: {image: x, depends_on: {migrate: {condition: service_completed_successfully}}}
              migrate: {image: x, command: migrate}
            """
    }
    assert said(files, "migrate") == {"image_name": "x", "command": "migrate", "kind": "batch"}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("depends_on: [db, cache]", {"db", "cache"}),
        ("depends_on: {db: {condition: service_healthy}}", {"db"}),
        ("links: ['db:database', cache]", {"db", "cache"}),
        ("depends_on: [nobody]", set()),
    ],
)
def test_what_it_depends_on_is_another_service(form: str, expected: set[str]) -> None:
    text = f"services:\n  web: {{image: x, {form}}}\n  db: {{image: d}}\n  cache: {{image: c}}\n"
    assert set(said({"compose.yaml": text}).get("depends_on", {})) == expected


def apps(found: Analysis) -> list[tuple[str, str, str | None]]:
    return [(one.component.name, one.component.root, one.component.dockerfile) for one in found.apps]


def test_a_build_names_its_folder_its_dockerfile_its_stage_and_its_arguments() -> None:
    files = {
        "compose.yaml": """\
            services:
              one: {build: ./one}
              two: {build: {context: two, dockerfile: ../docker/two.Dockerfile, target: prod, args: {PORT: 9, V: }}}
              three: {build: {context: ., args: ["PORT=7"]}}
              four: {build: "https://example.com/x.git"}
              five: {build: ../outside}
            """,
        "one/Containerfile": "FROM x\nEXPOSE 1\n",
        "docker/two.Dockerfile": "FROM x AS prod\nARG PORT=1\nEXPOSE $PORT\nFROM x\nEXPOSE 3\n",
        "Dockerfile": "FROM x\nARG PORT\nEXPOSE $PORT\n",
    }
    found = analyze(codebase(files))
    assert apps(found) == [
        ("one", "one", "one/Containerfile"),
        ("two", "two", "docker/two.Dockerfile"),
        ("three", "", "Dockerfile"),
        ("four", "", None),
        ("five", "", None),
    ]
    assert [list(one.facts.ports) for one in found.apps] == [[1], [9], [7], [], []]


def test_services_that_only_a_profile_starts_are_told_and_left_out() -> None:
    files = {"compose.yaml": "services:\n  web: {image: x, depends_on: [tool]}\n  tool: {image: y, profiles: [dev]}\n"}
    found = analyze(codebase(files))
    assert [one.component.name for one in found.apps] == ["web"]
    assert found.notes == ("tool of compose.yaml is started only with a profile: it is no app of its own",)
    assert not found.apps[0].facts.depends_on


def test_a_file_of_the_codebase_that_is_mounted_is_told() -> None:
    files = {
        "compose.yaml": "services: {web: {image: nginx, volumes: ['./nginx.conf:/nginx.conf:ro', './data:/data']}}\n",
        "nginx.conf": "events {}\n",
    }
    found = analyze(codebase(files))
    assert told(found.apps[0].facts)["volumes"] == {"/data": "./data:/data"}
    assert found.notes == ("web of compose.yaml has nginx.conf of the codebase mounted: no image holds that",)


# Which of several compose files is the app's.
CHOSEN: dict[str, tuple[list[str], str]] = {
    "the first of compose's own names": (["docker-compose.yml", "compose.yaml"], "compose.yaml"),
    "the nearest to the root": (["a/b/compose.yaml", "deploy/compose.yaml"], "deploy/compose.yaml"),
    "not one for tests": (["tests/compose.yaml", "x/y/compose.yml"], "x/y/compose.yml"),
    "not one of a development container": ([".devcontainer/docker-compose.yml"], ""),
    "one for production where there is no other": (["docker-compose.prod.yml"], "docker-compose.prod.yml"),
    "not one for production where there is another": (["compose.yml", "compose.prod.yml"], "compose.yml"),
}


@pytest.mark.parametrize("case", CHOSEN, ids=str)
def test_of_several_compose_files_one_is_the_apps(case: str) -> None:
    paths, expected = CHOSEN[case]
    assert compose(MemoryCodebase(dict.fromkeys(paths, "services: {web: {build: .}}\n"))).path == expected


def test_a_file_further_down_that_builds_nothing_is_not_about_the_code() -> None:
    files = {"monitoring/compose.yaml": "services: {grafana: {image: grafana/grafana}}\n", "main.py": "print(1)\n"}
    assert [one.component.name for one in analyze(codebase(files)).apps] == ["shop"]


# A mistake: what is told. Whatever else the file says is known all the same.
MISTAKES: dict[str, tuple[str, list[str]]] = {
    "a key twice": (
        "services:\n  web:\n    image: x\n    image: y\n",
        ["compose.yaml:4:5: the key `image` stands here twice, first in line 3 (keep one of the two)"],
    ),
    "broken off": (
        "services:\n  web:\n    image: x\n    ports: [\n",
        ["compose.yaml:5:1"],
    ),
    "nothing": ("", ["compose.yaml: has no services"]),
    "a list": ("- web\n", ["compose.yaml: has no services"]),
    "services that are none": ("services: [web]\n", ["compose.yaml: has no services"]),
    "an include of nothing": (
        "include: [gone.yaml]\nservices: {web: {image: x}}\n",
        ["compose.yaml:1: names a file that is not in the codebase"],
    ),
    "an extends of nothing": (
        "services:\n  web:\n    image: x\n    extends: gone\n",
        ["compose.yaml:4: extends a service that is not there"],
    ),
    "a file outside": (
        "services:\n  web:\n    image: x\n    extends: {file: ../../etc/passwd, service: a}\n",
        ["compose.yaml:4: names a file that is not in the codebase"],
    ),
}


@pytest.mark.parametrize("case", MISTAKES, ids=str)
def test_a_mistake_is_told_with_its_line(case: str) -> None:
    text, expected = MISTAKES[case]
    found = analyze(codebase({"compose.yaml": text}))
    warnings = [str(problem) for problem in found.warnings]
    assert len(warnings) == len(expected)
    assert all(warning.startswith(start) for warning, start in zip(warnings, expected, strict=True))
    if "image: x" in text:
        image = found.apps[0].facts.image_name
        assert image is not None and image.value == "x"


def test_an_override_takes_back_and_replaces_what_was_said() -> None:
    files = {
        "compose.yaml": """\
            services:
              web:
                image: nginx
                command: [serve, -v]
                ports: ["80:80"]
                environment: {A: a, B: b, C: c}
                depends_on: {db: {condition: service_started}, mq: {condition: service_started}}
                deploy: {resources: {limits: {memory: 512M, cpus: "1"}}}
              db: {image: postgres}
              mq: {image: rabbitmq}
            """,
        "compose.override.yaml": """\
            services:
              web:
                command: !reset null
                ports: !override ["8080"]
                environment: {B: !reset null}
                depends_on: {mq: !reset null}
                deploy: {resources: {limits: !override {cpus: "2"}}}
              mq: !reset null
            """,
    }
    found = said(files)
    assert "command" not in found and "memory" not in found
    assert found["ports"].keys() == {"8080"} and found["env"] == {"A": "a", "C": "c"}
    assert found["depends_on"].keys() == {"db"} and found["cpu"] == "2000"
    assert compose(codebase(files)).services.keys() == {"web", "db"}


def test_a_service_may_be_replaced_whole() -> None:
    files = {
        "compose.yaml": "services: {web: {image: nginx, command: serve}}",
        "compose.override.yaml": "services: {web: !override {image: caddy}}",
    }
    assert said(files) == {"image_name": "caddy"}


def test_a_tag_of_others_is_told() -> None:
    assert any("this tag is not read" in one for one in warned({"compose.yaml": "services: {web: {image: !vault x}}"}))


def test_an_env_file_may_have_values_over_several_lines() -> None:
    files = {
        "compose.yaml": "services: {web: {image: nginx, env_file: web.env}}",
        "web.env": "export A=1 # one\nB=\"x\ny\\tz\"\nC='p $A\nq'\nE=${F:-f}\n\n# none\nD\n",
    }
    assert said(files)["env"] == {"A": "1", "B": "x\ny\tz", "C": "p $A\nq", "E": "f"}


def test_what_is_no_line_of_an_env_file_is_told_with_its_place_and_the_rest_counts() -> None:
    files = {
        "compose.yaml": "services: {web: {image: nginx, env_file: web.env}}",
        "web.env": 'A=1\nhunter2 and more\nB="never closed\nC=3\n',
    }
    assert [one.partition(": ")[0] for one in warned(files)] == ["web.env:2", "web.env:3"]
    assert not any("hunter2" in one for one in warned(files))


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ('restart: "no"', "batch"),
        ("restart: on-failure", None),
        ("deploy: {restart_policy: {condition: none}}", "batch"),
        ('{restart: "no", ports: ["80"]}', None),
        ("restart: always", "service"),
        ("command: serve", None),
    ],
)
def test_what_compose_does_not_start_again_on_purpose_may_run_once(block: str, kind: str | None) -> None:
    inside = block.strip("{}") if block.startswith("{") else block
    found = said({"compose.yaml": f"services: {{web: {{image: nginx, {inside}}}}}"})
    assert found.get("kind") == kind
