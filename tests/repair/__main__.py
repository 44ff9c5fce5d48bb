"""`python -m tests.repair`: the whole corpus on the embedded Nomad in virtual time, or some of it by name.

Ends with 1 where a case did not go as it should.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path[:0] = ["operator"]

from tests.repair import corpus, report, taught  # noqa: E402
from tests.repair.verdict import Judged, judge  # noqa: E402

_FOLDER = Path(".bench")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.repair", description=__doc__)
    parser.add_argument(
        "--case", action="append", default=[], metavar="NAME", help="only cases of this name, with story"
    )
    parser.add_argument("--part", choices=["broken", "leave", "adversarial"], help="only this part of the corpus")
    parser.add_argument("--list", action="store_true", help="the names of all cases")
    parser.add_argument(
        "--taught", action="store_true",
        help="what a memory repairs by itself, that has seen the same failures of other apps repaired by rules",
    )  # fmt: skip
    parser.add_argument("--nomad", metavar="ADDRESS", help="some cases on a real agent with Docker instead")
    told = parser.parse_args()
    if told.nomad:
        from tests.repair import real

        return real.main(told.nomad, told.case)
    cases = [
        case
        for name, case in corpus.cases().items()
        if (not told.case or any(wanted in name for wanted in told.case))
        and (told.part is None or case.part.value == told.part)
    ]
    if told.list:
        print("\n".join(case.name for case in cases))
        return 0
    if told.taught:
        print(taught.report_of(cases))
        return 0
    found: list[Judged] = []
    for number, case in enumerate(cases, 1):
        one = judge(case)
        found.append(one)
        if sys.stderr.isatty():
            print(f"\r{number}/{len(cases)} {case.name:<70.70}", end="", file=sys.stderr)
        if told.case:
            print(f"{case.name}: {one.outcome or 'no episode'}, {one.attempts} attempts, {one.calls} calls")
            print("\n".join(one.story), end="\n\n")
    if sys.stderr.isatty():
        print("\r" + " " * 90 + "\r", end="", file=sys.stderr)
    for one in found:
        for problem in one.problems:
            print(f"{one.name}: {problem}")
    print(report.table(found))
    if not told.case and told.part is None:
        print(f"written: {report.write(_FOLDER, found, rungs='rule', nomad='embedded')}", file=sys.stderr)
    return 0 if all(one.as_expected for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
