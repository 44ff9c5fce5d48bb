"""What is said of a job made of a manifest is said at the line of the manifest that makes it."""

from __future__ import annotations

import pytest

from desired.manifest_place import place_in_manifest

TEXT = """# two of them
---
apiVersion: nomad-operator/v1
kind: App
metadata: {name: other}
spec: {image: "busybox:1"}
---
apiVersion: nomad-operator/v1
kind: App
metadata:
  name: web
  namespace: team
spec:
  image: busybox:1
  count: 3
  datacenters: [dc1]
  command: serve
  resources:
    cpu: 100
    memory: 64
    disk: 10
  ports:
    http:
      to: 8080
      static: 80
  env:
    A: {fixed: a}
  routes: [{host: a.example.org}]
  volumes: [{host: b, mount: /b}]
  job:
    meta: {owner: me}
    group:
      app:
        task:
          app:
            config:
              privileged: true
            resources:
              cores: 2
"""
TASK = ("group", "app", "task", "app")


@pytest.mark.parametrize(
    ("at", "line"),
    [
        (("namespace",), 12),
        ((*TASK, "config", "image"), 14),
        (("group", "app", "count"), 15),
        (("datacenters",), 16),
        ((*TASK, "config", "command"), 17),
        ((*TASK, "resources", "cpu"), 19),
        ((*TASK, "resources", "memory"), 20),
        (("group", "app", "ephemeral_disk"), 21),
        (("group", "app", "network", "port", "http", "static"), 25),
        (("group", "app", "network", "port", "http", "host_network"), 24),
        ((*TASK, "env", "A"), 27),
        (("group", "app", "service", "web", "tags"), 28),
        (("group", "app", "volume", "b"), 29),
        (("meta",), 31),
        ((*TASK, "config", "privileged"), 37),
        ((*TASK, "resources", "cores"), 39),
        (("group", "app", "service", "web"), 23),
        ((*TASK, "user"), None),
        (("group", "other", "count"), None),
        ((), None),
    ],
)
def test_each_place_of_the_job_is_found_where_it_is_written(at: tuple[str, ...], line: int | None) -> None:
    place = place_in_manifest(TEXT, "apps.yaml", 8, at)
    assert (place[0] if place else None) == line


def test_another_document_is_another_app() -> None:
    place = place_in_manifest(TEXT, "apps.yaml", 3, (*TASK, "config", "image"))
    assert place is not None and place[0] == 6
    assert place_in_manifest(TEXT, "apps.yaml", 3, ("group", "app", "count")) is None
    assert place_in_manifest(TEXT, "apps.yaml", 2, ("group", "app", "count")) is None
