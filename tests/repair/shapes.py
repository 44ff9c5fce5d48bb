"""Twelve healthy jobs of different shapes, and the world in which they are healthy.

Faults change a copy of a job or of the world. The code under test never sees these texts unless a case commits one as
the version before.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from desired.job.hcl_read import read_job

_UPDATE = """update {
      min_healthy_time  = "5s"
      healthy_deadline  = "40s"
      progress_deadline = "60s"
    }
    restart {
      attempts = 1
      delay    = "3s"
      interval = "30s"
      mode     = "fail"
    }"""
_HTTP = """check {
        name     = "alive"
        type     = "http"
        path     = "/healthz"
        interval = "5s"
        timeout  = "2s"
      }"""

TEXTS = {
    "web": f"""job "web" {{
  datacenters = ["dc1"]
  group "web" {{
    {_UPDATE}
    network {{
      port "http" {{
        to = 8080
      }}
    }}
    service {{
      name     = "web"
      port     = "http"
      provider = "nomad"
      {_HTTP}
    }}
    task "app" {{
      driver = "docker"
      config {{
        image = "team/web:1.4"
        ports = ["http"]
      }}
      env {{
        LOG_LEVEL = "info"
      }}
      resources {{
        cpu    = 200
        memory = 256
      }}
    }}
  }}
}}
""",
    "api": f"""job "api" {{
  datacenters = ["dc1"]
  group "api" {{
    count = 2
    {_UPDATE}
    network {{
      port "api" {{
        to = 3000
      }}
      port "metrics" {{
        to = 9100
      }}
    }}
    service {{
      name     = "api"
      port     = "api"
      provider = "nomad"
      {_HTTP.replace("/healthz", "/status")}
    }}
    task "api" {{
      driver = "docker"
      config {{
        image   = "team/api:7"
        command = "api-server"
        args    = ["--quiet"]
        ports   = ["api", "metrics"]
      }}
      env {{
        DATABASE_HOST = "db.internal"
        PORT          = "3000"
      }}
      resources {{
        cpu    = 300
        memory = 128
      }}
    }}
  }}
}}
""",
    "worker": f"""job "worker" {{
  datacenters = ["dc1"]
  group "worker" {{
    {_UPDATE}
    task "worker" {{
      driver = "docker"
      config {{
        image   = "team/worker:2.1"
        command = "/app/worker"
        args    = ["--queue", "orders"]
      }}
      env {{
        QUEUE_HOST = "mq.internal"
      }}
      resources {{
        cpu    = 250
        memory = 512
      }}
    }}
  }}
}}
""",
    "shop": f"""job "shop" {{
  datacenters = ["dc1"]
  group "shop" {{
    {_UPDATE}
    network {{
      port "http" {{
        to = 8000
      }}
    }}
    service {{
      name     = "shop"
      port     = "http"
      provider = "nomad"
      {_HTTP.replace("/healthz", "/up")}
    }}
    task "shop" {{
      driver = "docker"
      config {{
        image = "team/shop:3"
        ports = ["http"]
      }}
      template {{
        destination = "secrets/app.env"
        env         = true
        data        = <<EOT
{{{{ with nomadVar "nomad/jobs/shop" }}}}
DB_HOST={{{{ .db_host }}}}
DB_USER={{{{ .db_user }}}}
{{{{ end }}}}
EOT
      }}
      resources {{
        cpu    = 200
        memory = 200
      }}
    }}
  }}
}}
""",
    "billing": f"""job "billing" {{
  datacenters = ["dc1"]
  group "billing" {{
    {_UPDATE}
    task "billing" {{
      driver = "docker"
      config {{
        image = "team/billing:5"
      }}
      vault {{
        role = "billing"
      }}
      template {{
        destination = "secrets/billing.env"
        env         = true
        data        = <<EOT
DB_PASSWORD={{{{ with secret "secret/data/billing/db" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}
EOT
      }}
      template {{
        destination = "local/billing.conf"
        data        = <<EOT
endpoint = {{{{ key "billing/endpoint" }}}}
EOT
      }}
      resources {{
        cpu    = 200
        memory = 200
      }}
    }}
  }}
}}
""",
    "report": """job "report" {
  datacenters = ["dc1"]
  type        = "batch"
  group "report" {
    restart {
      attempts = 1
      delay    = "3s"
      interval = "60s"
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }
    task "report" {
      driver = "docker"
      config {
        image   = "team/report:1"
        command = "make-report"
      }
      resources {
        cpu    = 300
        memory = 400
      }
    }
  }
}
""",
    "agent": f"""job "agent" {{
  datacenters = ["dc1"]
  type        = "system"
  {_UPDATE.split("restart")[0].strip()}
  group "agent" {{
    restart {{
      attempts = 1
      delay    = "3s"
      interval = "30s"
      mode     = "fail"
    }}
    task "agent" {{
      driver = "docker"
      config {{
        image = "team/agent:0.9"
      }}
      resources {{
        cpu    = 50
        memory = 96
      }}
    }}
  }}
}}
""",
    "gate": f"""job "gate" {{
  datacenters = ["dc1"]
  group "gate" {{
    {_UPDATE}
    network {{
      port "web" {{
        static = 9080
        to     = 8081
      }}
    }}
    service {{
      name     = "gate"
      port     = "web"
      provider = "nomad"
      {_HTTP.replace("/healthz", "/ready")}
    }}
    task "gate" {{
      driver = "docker"
      config {{
        image    = "team/gate:12"
        work_dir = "/srv"
        ports    = ["web"]
      }}
      resources {{
        cpu    = 200
        memory = 160
      }}
    }}
  }}
}}
""",
    "legacy": """job "legacy" {
  datacenters = ["dc1"]
  group "legacy" {
    update {
      min_healthy_time  = "5s"
      healthy_deadline  = "150s"
      progress_deadline = "240s"
    }
    restart {
      attempts = 1
      delay    = "3s"
      interval = "30s"
      mode     = "fail"
    }
    network {
      port "http" {
        to = 8090
      }
    }
    service {
      name     = "legacy"
      port     = "http"
      provider = "nomad"
      check {
        name     = "alive"
        type     = "http"
        path     = "/actuator/health"
        interval = "5s"
        timeout  = "2s"
        check_restart {
          limit = 3
          grace = "90s"
        }
      }
    }
    task "legacy" {
      driver = "docker"
      config {
        image = "team/legacy:2009"
        ports = ["http"]
      }
      resources {
        cpu    = 500
        memory = 1024
      }
    }
  }
}
""",
    "pair": f"""job "pair" {{
  datacenters = ["dc1"]
  group "pair" {{
    {_UPDATE}
    network {{
      port "http" {{
        to = 5000
      }}
    }}
    service {{
      name     = "pair"
      port     = "http"
      provider = "nomad"
      {_HTTP.replace("/healthz", "/health")}
    }}
    task "main" {{
      driver = "docker"
      config {{
        image = "team/main:4"
        ports = ["http"]
      }}
      resources {{
        cpu    = 200
        memory = 300
      }}
    }}
    task "shipper" {{
      driver = "docker"
      config {{
        image = "team/shipper:1"
      }}
      resources {{
        cpu    = 50
        memory = 80
      }}
    }}
  }}
}}
""",
    "tool": f"""job "tool" {{
  datacenters = ["dc1"]
  group "tool" {{
    {_UPDATE}
    constraint {{
      attribute = "${{attr.kernel.name}}"
      value     = "linux"
    }}
    constraint {{
      attribute = "${{meta.rack}}"
      value     = "rack-a"
    }}
    task "tool" {{
      driver = "exec"
      config {{
        command = "/usr/local/bin/tool"
        args    = ["serve"]
      }}
      resources {{
        cpu    = 100
        memory = 100
      }}
    }}
  }}
}}
""",
    "mesh": f"""job "mesh" {{
  datacenters = ["dc1"]
  group "mesh" {{
    {_UPDATE}
    network {{
      mode = "bridge"
      port "http" {{
        to = 7000
      }}
    }}
    service {{
      name     = "mesh"
      port     = "http"
      provider = "nomad"
      {_HTTP.replace("/healthz", "/ok")}
    }}
    task "mesh" {{
      driver = "docker"
      config {{
        image = "team/mesh:1"
        ports = ["http"]
      }}
      resources {{
        cpu    = 100
        memory = 128
      }}
    }}
  }}
}}
""",
}

_CNI = {f"plugins.cni.version.{name}": "1.5.1" for name in ("bridge", "firewall", "host-local", "loopback", "portmap")}


def _node(number: int, **more: Any) -> dict[str, Any]:
    return {
        "name": f"node-{number}",
        "cpu": 4000,
        "memory": 8192,
        "disk": 20_000,
        "drivers": {"docker": {}, "exec": {}},
        "attributes": dict(_CNI),
        "meta": {"rack": f"rack-{'ab'[number - 1]}"},
        **more,
    }


def _app(image: str, **more: Any) -> dict[str, Any]:
    return {"image": image, **more}


def _answers(path: str) -> list[dict[str, Any]]:
    return [{"path": "*", "status": 404, "body": "not found\n"}, {"path": path, "status": 200, "body": "ok\n"}]


_WORLD: dict[str, Any] = {
    "node_pools": ["default", "all", "batch"],
    "nodes": [_node(1), _node(2)],
    "vault": True,
    "vault_paths": {"secret/data/billing/db": {"password": "hidden", "user": "billing"}},
    "consul_keys": {"billing/endpoint": "http://pay.internal", "billing/timeout": "3s"},
    "variables": [{"path": "nomad/jobs/shop", "items": {"db_host": "db.internal", "db_user": "shop"}}],
    "registries": [],
    "behaviours": [
        _app("team/web:*", listens=[8080], health=_answers("/healthz"), needs_memory=180,
             stdout="web 1.4\nserving on port 8080\nhealth endpoint: /healthz\n"),
        _app("team/api:*", listens=[3000, 9100], health=_answers("/status"), needs_memory=90,
             needs_env=["DATABASE_HOST"], programs=["api-server", "/usr/bin/api-server"],
             stdout="api: GET /status is the health route\nlistening on :3000\n"),
        _app("team/worker:*", needs_memory=300, needs_env=["QUEUE_HOST"], programs=["/app/worker", "sh", "/bin/sh"],
             stdout="waiting for work\n"),
        _app("team/shop:*", listens=[8000], health=_answers("/up"), needs_memory=120, needs_env=["DB_HOST", "DB_USER"],
             stdout="shop\nListening at http://0.0.0.0:8000\n"),
        _app("team/billing:*", needs_memory=120, needs_env=["DB_PASSWORD"]),
        _app("team/report:*", needs_memory=250, runs_for="20s", programs=["make-report"], stdout="report made\n"),
        _app("team/agent:*", needs_memory=48),
        _app("team/gate:*", listens=[8081], health=_answers("/ready"), needs_memory=100,
             stdout="gate is listening on 0.0.0.0:8081\n"),
        _app("team/legacy:*", listens=[8090], health=_answers("/actuator/health"), needs_memory=700, ready_after="40s",
             stdout="Starting Legacy\nloading 1400 beans\n"),
        _app("team/main:*", listens=[5000], health=_answers("/health"), needs_memory=200,
             stdout="main ready on port 5000\n"),
        _app("team/shipper:*", needs_memory=60, listens=[]),
        {"driver": "exec", "job": "tool*", "needs_memory": 64},
        _app("team/mesh:*", listens=[7000], health=_answers("/ok"), needs_memory=64,
             stdout="mesh: listening on :7000\n"),
    ],
}  # fmt: skip


class Broken:
    """A copy of one healthy job and of the world, for a fault to break."""

    def __init__(self, shape: str) -> None:
        self.shape = shape
        self.job: dict[str, Any] = dict(deepcopy(read_job(TEXTS[shape])))
        self.world: dict[str, Any] = deepcopy(_WORLD)
        self.others: list[str] = []

    @property
    def group(self) -> dict[str, Any]:
        group: dict[str, Any] = self.job["TaskGroups"][0]
        return group

    @property
    def task(self) -> dict[str, Any]:
        task: dict[str, Any] = self.group["Tasks"][0]
        return task

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.task["Config"]
        return config

    @property
    def env(self) -> dict[str, str]:
        if not self.task.get("Env"):
            self.task["Env"] = {}
        env: dict[str, str] = self.task["Env"]
        return env

    @property
    def resources(self) -> dict[str, Any]:
        resources: dict[str, Any] = self.task["Resources"]
        return resources

    @property
    def network(self) -> dict[str, Any]:
        network: dict[str, Any] = self.group["Networks"][0]
        return network

    @property
    def port(self) -> dict[str, Any]:
        """The first port, static or dynamic."""
        ports: list[dict[str, Any]] = [*(self.network["ReservedPorts"] or ()), *(self.network["DynamicPorts"] or ())]
        return ports[0]

    @property
    def service(self) -> dict[str, Any]:
        service: dict[str, Any] = self.group["Services"][0]
        return service

    @property
    def check(self) -> dict[str, Any]:
        check: dict[str, Any] = self.service["Checks"][0]
        return check

    @property
    def update(self) -> dict[str, Any]:
        update: dict[str, Any] = self.group.get("Update") or self.job["Update"]
        return update

    @property
    def behaviour(self) -> dict[str, Any]:
        """Of the first task's image, in the world."""
        image = str(self.config.get("image", "")).partition(":")[0]
        found: dict[str, Any] = next(
            one
            for one in self.world["behaviours"]
            if str(one.get("image", "-")).partition(":")[0] == image or (not image and one.get("job") == "tool*")
        )
        return found

    def template(self, number: int, old: str, new: str) -> None:
        """Change the text of a template; it has to hold `old`."""
        template = self.task["Templates"][number]
        assert old in template["EmbeddedTmpl"], (old, template["EmbeddedTmpl"])
        template["EmbeddedTmpl"] = template["EmbeddedTmpl"].replace(old, new)


def world() -> dict[str, Any]:
    return deepcopy(_WORLD)
