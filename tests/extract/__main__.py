"""`python -m tests.extract`: how right what is found in code is, field by field, and what a large tree costs.

Ends with 1 where something differs that is not known to.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path[:0] = ["operator"]

from tests.extract import large_tree, report  # noqa: E402
from tests.extract.repository import repositories  # noqa: E402
from tests.extract.score import score  # noqa: E402

_FOLDER = Path(".bench")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.extract", description=__doc__)
    parser.add_argument("--case", metavar="NAME", help="only repositories of this name, with all that was found")
    parser.add_argument("--no-tree", action="store_true", help="without the large tree")
    told = parser.parse_args()
    cases = [case for case in repositories() if told.case is None or told.case in case.name]
    if told.case is not None:
        print("\n\n".join(report.found(case) for case in cases))
    scores = score(cases)
    tree: dict[str, float] = {}
    if told.case is None and not told.no_tree:
        with tempfile.TemporaryDirectory(prefix="nomad-operator-extract-") as folder:
            written = large_tree.write(Path(folder))
            tree = {"files": written, **large_tree.measure(Path(folder))}
    print(report.table(scores, len(cases), tree))
    if told.case is None:
        print(f"written: {report.write(_FOLDER, scores, len(cases), tree)}", file=sys.stderr)
    return 0 if all("(known: " in one for one in scores.differences) else 1


if __name__ == "__main__":
    sys.exit(main())
