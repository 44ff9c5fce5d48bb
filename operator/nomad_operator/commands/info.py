"""Commands that need no service and no settings: version, graph, and what is said when no command is named."""

from __future__ import annotations

import argparse
import json
import platform

from desired.errors import UsageError
from nomad_operator import __version__
from nomad_operator.supported import OLDEST_NOMAD, TESTED_NOMAD


def version(arguments: argparse.Namespace) -> int:
    told = {
        "version": __version__,
        "python": platform.python_version(),
        "nomad": {"oldest": OLDEST_NOMAD, "tested": list(TESTED_NOMAD)},
    }
    if arguments.json:
        print(json.dumps(told))
    else:
        print(f"nomad-operator {__version__}")
        print(f"Python {platform.python_version()}")
        print(f"Nomad {OLDEST_NOMAD} or newer; tested with {', '.join(TESTED_NOMAD)}")
    return 0


def graph(arguments: argparse.Namespace) -> int:
    from reconcilers.graph import mermaid, text

    print(mermaid() if arguments.format == "mermaid" else text())
    return 0


def usage(_arguments: argparse.Namespace) -> int:
    raise UsageError("no command", hint="`nomad-operator --help` lists them; `nomad-operator demo` shows what it does")
