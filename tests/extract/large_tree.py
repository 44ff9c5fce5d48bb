"""A tree of 50,000 files as monorepos grow them, most of them nobody's app; and what it costs to analyse it.

The measuring is done by a process of its own: `python -m tests.extract.large_tree FOLDER` prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from desired.facts.analyze import analyze
from desired.facts.folder_codebase import FolderCodebase

ROOT = Path(__file__).parents[2]
FILES = 50_000
_SERVICES = 25
_PYTHON = """import os
from app.base import Base

LIMIT_{n} = int(os.environ.get("LIMIT_{n}", "10"))


class Handler{n}(Base):
    def handle(self, request):
        return {{"n": {n}, "limit": LIMIT_{n}, "path": request.path}}
"""
_NODE = """import {{ base }} from "./base";
export const limit{n} = Number(process.env.LIMIT_{n} ?? 10);
export function handle{n}(request: Request) {{
  return base(request, limit{n});
}}
"""


def files() -> Iterator[tuple[str, str]]:
    """40% node_modules, 20% ignored by rules of many folders, 30% code, the rest pictures and notes."""
    for number in range(FILES * 40 // 100):
        yield (
            f"services/s{number % _SERVICES}/node_modules/p{number // 100}/lib/f{number % 100}.js",
            "module.exports=1\n",
        )
    for number in range(FILES * 20 // 100):
        yield f"services/s{number % _SERVICES}/generated/g{number}.py", "import os\nos.environ['NO']\n"
    for number in range(FILES * 30 // 100):
        folder, made = f"services/s{number % _SERVICES}/src/m{number // 500}", number % 2
        yield (
            f"{folder}/{'f' if made else 'g'}{number}.{'ts' if made else 'py'}",
            (_NODE if made else _PYTHON).format(n=number),
        )
    for number in range(FILES * 9 // 100):
        yield f"assets/a{number // 200}/i{number}.svg", "<svg/>\n"
    yield ".gitignore", "*.log\ngenerated/\n!keep.log\n/tmp-*\n**/cache-*/\n*.[oa]\n"
    services = []
    for number in range(_SERVICES):
        below = f"services/s{number}"
        services.append(
            f"  s{number}:\n    build: {below}\n    image: registry.cluster:5000/s{number}:1\n    ports: [80]\n"
        )
        yield f"{below}/Dockerfile", 'FROM python:3.12\nEXPOSE 8000\nCMD ["gunicorn", "app"]\n'
        yield f"{below}/requirements.txt", "fastapi\nsqlalchemy\nredis\n"
        yield f"{below}/.gitignore", "*.pyc\nlocal-*\n/out/\n"
        for module in range(10):
            yield f"{below}/src/m{module}/.gitignore", "*.tmp.*\nscratch/\n"
    yield "compose.yaml", "services:\n" + "".join(services)


def write(folder: Path) -> int:
    """How many files there are."""
    count = 0
    made: set[Path] = set()
    for path, text in files():
        place = folder / path
        if place.parent not in made:
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        place.write_text(text, encoding="utf-8")
        count += 1
    return count


class Counting(FolderCodebase):
    """Counts what is read from disk."""

    reads = 0

    def text(self, path: str) -> str | None:
        self.reads += 1
        return super().text(path)


def measure(folder: Path) -> dict[str, float]:
    """In a process of its own, so that its memory is that of the analysis alone."""
    command = [sys.executable, "-m", "tests.extract.large_tree", str(folder)]
    return dict(json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout))


def _measured(folder: Path) -> dict[str, float]:
    before = _peak_mb()
    codebase = Counting(folder)
    started, cpu = time.perf_counter(), time.process_time()
    shown = len(codebase.paths)
    listed = time.perf_counter()
    found = analyze(codebase)
    ended, spent = time.perf_counter(), time.process_time() - cpu
    return {
        "shown": shown,
        "read": codebase.reads,
        "apps": len(found.apps),
        "list_seconds": listed - started,
        "analyze_seconds": ended - started,
        "cpu_seconds": spent,
        "memory_mb": _peak_mb() - before,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]))))
