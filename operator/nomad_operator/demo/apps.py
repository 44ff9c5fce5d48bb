"""The files that the story commits. Everything runs busybox, so that a real Nomad with Docker can play it too."""

from __future__ import annotations

SERVE = "mkdir -p /www && echo ok > /www/index.html && exec httpd -f -p 8080 -h /www"
# What the embedded Nomad knows of these programs; a real one finds out by running them.
WORLD = """
nodes:
  - {name: node-1, cpu: 8000, memory: 16384}
  - {name: node-2, cpu: 8000, memory: 16384}
event_buffer_size: 1000
registries:
  - {images: "registry.example/*", fault: tag missing}
behaviours:
  - {command: "no-such-file", runs_for: 300ms, exit_code: 1, stderr: "cat: no-such-file: No such file or directory\\n"}
  - {command: "DATABASE_URL", runs_for: 400ms, exit_code: 1, stderr: "DATABASE_URL is not set\\n"}
  - {command: "counting", runs_for: 2s, stdout: "counting\\n"}
"""

TIMES = """
    update {
      min_healthy_time  = "1s"
      healthy_deadline  = "10s"
      progress_deadline = "15s"
      auto_revert       = true
    }
    restart {
      attempts = 0
      mode     = "fail"
    }
    reschedule {
      attempts  = 0
      unlimited = false
    }"""


def files(image: str, prefix: str) -> dict[str, str]:
    """Six apps: four that are well, one that crashes, and a manifest with mistakes in it."""
    return {
        "apps/shop.yaml": shop(image, prefix),
        "apps/api.nomad.hcl": api(image, prefix),
        "apps/worker.nomad.hcl": _job(image, f"{prefix}worker", "exec sleep 3600"),
        "apps/report.nomad.hcl": _batch(image, f"{prefix}report"),
        "apps/mailer.nomad.hcl": _job(
            image, f"{prefix}mailer", 'test -n \\"$DATABASE_URL\\" || { echo DATABASE_URL is not set >&2; exit 1; }'
        ),
        "apps/search.yaml": search(image, prefix, good=False),
    }


def shop(image: str, prefix: str) -> str:
    return f"""apiVersion: nomad-operator/v1
kind: App
metadata: {{name: {prefix}shop}}
spec:
  image: {image}
  command: sh
  args: ["-c", "{SERVE}"]
  resources: {{cpu: 50, memory: 32}}
  ports: {{http: {{to: 8080}}}}
  check: {{path: /, interval: 1s, timeout: 1s}}
  env: {{SHOP_NAME: {{fixed: corner shop}}}}
  job:
    group: {{app: {{update: {{min_healthy_time: 1s, healthy_deadline: 10s, progress_deadline: 15s}}}}}}
"""


def search(image: str, prefix: str, *, good: bool) -> str:
    """With two mistakes, or mended."""
    key, memory = ("image", "32") if good else ("imagee", "plenty")
    return f"""apiVersion: nomad-operator/v1
kind: App
metadata: {{name: {prefix}search}}
spec:
  {key}: {image}
  command: sleep
  args: ["3600"]
  resources: {{cpu: 50, memory: {memory}}}
  job:
    group: {{app: {{update: {{min_healthy_time: 1s, healthy_deadline: 10s, progress_deadline: 15s}}}}}}
"""


def api(image: str, prefix: str, *, command: str = SERVE, greeting: str = "hello") -> str:
    return f"""job "{prefix}api" {{
  group "api" {{
    count = 2
{TIMES}
    network {{
      port "http" {{ to = 8080 }}
    }}
    service {{
      name     = "{prefix}api"
      provider = "nomad"
      port     = "http"
      check {{
        type     = "http"
        path     = "/"
        interval = "1s"
        timeout  = "1s"
      }}
    }}
    task "api" {{
      driver = "docker"
      config {{
        image   = "{image}"
        command = "sh"
        args    = ["-c", "{command}"]
        ports   = ["http"]
      }}
      env {{
        GREETING = "{greeting}"
      }}
      resources {{
        cpu    = 50
        memory = 32
      }}
    }}
  }}
}}
"""


def _job(image: str, name: str, command: str) -> str:
    return f"""job "{name}" {{
  group "app" {{
{TIMES}
    task "app" {{
      driver = "docker"
      config {{
        image   = "{image}"
        command = "sh"
        args    = ["-c", "{command}"]
      }}
      resources {{
        cpu    = 50
        memory = 32
      }}
    }}
  }}
}}
"""


def _batch(image: str, name: str) -> str:
    return f"""job "{name}" {{
  type = "batch"
  group "report" {{
    task "report" {{
      driver = "docker"
      config {{
        image   = "{image}"
        command = "sh"
        args    = ["-c", "echo counting; sleep 2"]
      }}
      resources {{
        cpu    = 50
        memory = 32
      }}
    }}
  }}
}}
"""
