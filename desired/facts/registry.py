"""The table of extractors. To add one: a file that makes an `Extractor`, and its line here."""

from __future__ import annotations

from desired.facts import (
    build_yaml,
    compose_facts,
    dockerfile_facts,
    known_images,
    makefile,
    processes,
    service_backends,
)
from desired.facts.app_code import extractor as app_code
from desired.facts.extractor import Extractor

EXTRACTORS: tuple[Extractor, ...] = (
    build_yaml.extractor,
    compose_facts.extractor,
    makefile.extractor,
    processes.extractor,
    dockerfile_facts.extractor,
    known_images.extractor,
    app_code.extractor,
    service_backends.extractor,
)
