"""Job files to try operations on: those of the conformance suite, and one as people lay their files out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from desired.job.hcl_read import JobFileInvalid, read_job

CONFORMANCE = Path(__file__).parents[2] / "conformance" / "job"

HAND = """\
# Kept by the web team.
variable "image" { default = "registry:5000/web:1" }

job "web" {
\tdatacenters = ["dc1",
\t               "dc2"] # both

\tgroup "web" {
\t\tcount = 2
\t\tnetwork {
\t\t\tport "http" { to = 8080 } // the app
\t\t\tport "debug" {}
\t\t\tport "admin" {
\t\t\t\tstatic = "9090" # public
\t\t\t}
\t\t}
\t\tservice {
\t\t\tport = "http"
\t\t\tcheck {
\t\t\t\ttype = "http"
\t\t\t\tpath = "/health"
\t\t\t\tinterval = "10s" /* often */
\t\t\t\ttimeout  = "2s"
\t\t\t}
\t\t}
\t\ttask "app" {
\t\t\tdriver = "docker"
\t\t\tconfig {
\t\t\t\timage = var.image
\t\t\t\targs  = [
\t\t\t\t\t"-a", # first
\t\t\t\t\t"--port=${NOMAD_PORT_http}",
\t\t\t\t]
\t\t\t\tportz = ["http"]
\t\t\t}
\t\t\tenv = {
\t\t\t\tLEVEL: "debug", # noisy
\t\t\t\tMODE = "one"
\t\t\t}
\t\t\ttemplate {
\t\t\t\tdata = <<-EOT
\t\t\t\t  # Settings.
\t\t\t\t  URL={{ key "web/por" }}
\t\t\t\t  ID=${NOMAD_ALLOC_ID}
\t\t\t\tEOT
\t\t\t\tdestination = "local/app.env"
\t\t\t}
\t\t\tresources { memory = 64 }
\t\t}
\t}
}
"""


def job_texts() -> dict[str, tuple[str, str]]:
    """Every job file that can be read, with its variables, by name."""
    found = {path.name: {"job": path.read_text(encoding="utf-8")} for path in sorted((CONFORMANCE / "cases").iterdir())}
    found |= yaml.safe_load((CONFORMANCE / "snippets.yaml").read_text(encoding="utf-8"))
    texts = {name: (case["job"], case.get("variables", "")) for name, case in found.items()}
    texts["hand"] = (HAND, "")
    texts["hand-crlf"] = (HAND.replace("\n", "\r\n"), "")
    texts["hand-marked"] = ("\ufeff" + HAND, "")
    return {name: each for name, each in texts.items() if _readable(*each)}


def _readable(text: str, variables: str) -> bool:
    try:
        read_job(text, variables)
    except JobFileInvalid:
        return False
    return True


def body_of(name: str) -> Any:
    return read_job(*job_texts()[name])
