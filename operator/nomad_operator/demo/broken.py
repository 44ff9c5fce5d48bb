"""The broken apps of the story, each in its own way; a real Nomad with Docker breaks them as the embedded one does."""

from __future__ import annotations

from nomad_operator.demo.apps import TIMES

# What the embedded Nomad knows of these programs. A block of `dd` is held in memory as a whole.
BEHAVIOURS = """
  - {command: "bs=50M", needs_memory: 51}
  - {command: "bs=300M", needs_memory: 301}
  - {command: "listening on port 8080", listens: [8080], stdout: "listening on port 8080\\n"}
"""
TEMPLATES = """
templates:
  - contains: ".pasword"
    error: '(dynamic): execute: template: :1:48: executing "" at <.pasword>: map has no entry for key "pasword"'
"""
HUNGRY = "dd if=/dev/zero of=/dev/null bs=50M count=1 && exec sleep 3600"
RAVENOUS = "dd if=/dev/zero of=/dev/null bs=300M count=1 && exec sleep 3600"
STATIC_PORT = 18080


def files(image: str, prefix: str, missing_image: str) -> dict[str, str]:
    """What is committed at once."""
    return {
        "apps/cache.nomad.hcl": job(image, f"{prefix}cache", HUNGRY),
        "apps/metrics.nomad.hcl": _metrics(image, f"{prefix}metrics"),
        "apps/indexer.nomad.hcl": job(image, f"{prefix}indexer", "exec sleep 3600", more='datacenters = ["DC1"]'),
        "apps/gallery.nomad.hcl": job(missing_image, f"{prefix}gallery", "exec sleep 3600"),
        "apps/proxy.nomad.hcl": _proxy(image, f"{prefix}proxy"),
        "apps/proxy-too.nomad.hcl": _proxy(image, f"{prefix}proxy-too"),
        "apps/billing.nomad.hcl": _billing(image, f"{prefix}billing"),
        "apps/mill.yaml": _manifest(image, f"{prefix}mill", HUNGRY, "mode: propose"),
    }


def ledger(image: str, prefix: str, command: str) -> str:
    """May be given 48 MB by repairs, and no more."""
    return _manifest(image, f"{prefix}ledger", command, "limits: {memory: 48}")


def job(image: str, name: str, command: str, *, more: str = "", group: str = "", task: str = "") -> str:
    return f"""job "{name}" {{
  {more}
  group "app" {{
{TIMES}
{group}
    task "app" {{
      driver = "docker"
      config {{
        image   = "{image}"
        command = "sh"
        args    = ["-c", "{command}"]
      }}
{task}
      resources {{
        cpu    = 50
        memory = 32
      }}
    }}
  }}
}}
"""


def _metrics(image: str, name: str) -> str:
    """Serves on 8080; its check asks a port where nothing listens."""
    serve = "echo listening on port 8080; mkdir -p /www; echo ok > /www/index.html; exec httpd -f -p 8080 -h /www"
    return f"""job "{name}" {{
  group "app" {{
    update {{
      min_healthy_time  = "1s"
      healthy_deadline  = "40s"
      progress_deadline = "60s"
    }}
    network {{
      port "http"  {{ to = 8080 }}
      port "admin" {{ to = 9090 }}
    }}
    service {{
      name     = "{name}"
      provider = "nomad"
      port     = "http"
      check {{
        name     = "alive"
        type     = "http"
        port     = "admin"   # nobody listens there
        path     = "/"
        interval = "1s"
        timeout  = "1s"
      }}
    }}
    task "app" {{
      driver = "docker"
      config {{
        image   = "{image}"
        command = "sh"
        args    = ["-c", "{serve}"]
        ports   = ["http", "admin"]
      }}
      resources {{
        cpu    = 50
        memory = 32
      }}
    }}
  }}
}}
"""


def _proxy(image: str, name: str) -> str:
    """Two of them want the same port on two nodes, or on both addresses of one."""
    group = f"""    network {{
      port "web" {{
        static = {STATIC_PORT}
        to     = 8080
      }}
    }}
    service {{
      name     = "{name}"
      provider = "nomad"
      port     = "web"
    }}
"""
    made = job(image, name, "exec sleep 3600", group=group + "    count = 2\n")
    return made.replace("      config {\n", '      config {\n        ports   = ["web"]\n')


def _billing(image: str, name: str) -> str:
    template = f"""      template {{
        destination          = "secrets/app.env"
        env                  = true
        error_on_missing_key = true
        data                 = <<-END
          {{{{ with nomadVar "nomad/jobs/{name}" }}}}DB_PASSWORD={{{{ .pasword }}}}{{{{ end }}}}
        END
      }}"""
    return job(image, name, "exec sleep 3600", task=template)


def _manifest(image: str, name: str, command: str, repair: str) -> str:
    return f"""apiVersion: nomad-operator/v1
kind: App
metadata: {{name: {name}}}
spec:
  image: {image}
  command: sh
  args: ["-c", "{command}"]
  resources: {{cpu: 50, memory: 32}}
  repair: {{{repair}}}
  job:
    group:
      app:
        update: {{min_healthy_time: 1s, healthy_deadline: 10s, progress_deadline: 15s}}
        restart: {{attempts: 0, mode: fail}}
        reschedule: {{attempts: 0, unlimited: false}}
"""
