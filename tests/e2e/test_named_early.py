"""What is wrong is told by the real process long before a deadline: in its status, and by `explain`."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Start
from tests.e2e.nomad_side import NomadSide
from tests.e2e.waiting import until
from tests.integration.git.git_world import Upstream

_GROUP = 'group "g" {'
_CHECKED = """
    network {
      port "http" {}
    }
    service {
      name     = "web"
      port     = "http"
      provider = "nomad"
      check {
        type     = "http"
        path     = "/"
        interval = "2s"
        timeout  = "1s"
      }
    }"""


@pytest.mark.parametrize(
    ("failure", "task", "old", "new"),
    [
        ("crash", "bad", "attempts = 0\n      mode     = \"fail\"", "attempts = 5\n      mode     = \"delay\""),
        ("disk_exhausted", "good", _GROUP, _GROUP + "\n    ephemeral_disk {\n      size = 900000000\n    }"),
        ("memory_exhausted", "good", "memory = 10", "memory = 90000000"),
        ("datacenter_unknown", "good", _GROUP, 'datacenters = ["nowhere"]\n  ' + _GROUP),
        ("constraint_unsatisfied", "good", _GROUP,
         _GROUP + '\n    constraint {\n      attribute = "${attr.cpu.arch}"\n      value     = "sparc"\n    }'),
        # What runs outside a container may listen anywhere: there its check only fails.
        ("check_wrong_port check_failing", "good", _GROUP, _GROUP + _CHECKED),
    ],
    ids=lambda text: None if "\n" in text or "=" in text else text,
)  # fmt: skip
def test_it_is_named_within_seconds(
    failure: str, task: str, old: str, new: str, nomad: NomadSide, upstream: Upstream, operator: Start
) -> None:
    web = nomad.name("web")
    text = nomad.job_file(web, task=task)
    assert old in text
    process = operator(VERIFY_TIMEOUT_SECONDS="300", REPAIR_MODE="propose").start()
    upstream.commit({"apps/web.nomad.hcl": text.replace(old, new).replace('"0s"', '"5m"')})

    def named() -> bool:
        answer = process.get(f"/api/v1/explain/default/{web}")
        told = answer.json() if answer.status_code == 200 else {}
        return bool({(told.get(where) or {}).get("class") for where in ("now", "episode")} & set(failure.split()))

    until(named, within=15, what=failure, told=lambda: process.app(web))
