"""`python -m tests.repair`: the whole corpus on the embedded Nomad in virtual time, or some of it by name.

`--rungs` runs it with memory and a model on and off: a real one where OPENAI_BASE_URL or OPENAI_API_KEY is set, else
one by a script, which says nothing about any model. Ends with 1 where a case did not go as it should.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path[:0] = ["operator"]

from tests.repair import compare, corpus, report, taught  # noqa: E402
from tests.repair.case import Case  # noqa: E402
from tests.repair.endpoint import endpoint  # noqa: E402
from tests.repair.stub_models import STUBS, stub  # noqa: E402
from tests.repair.verdict import Judged, judge  # noqa: E402

_FOLDER = Path(".bench")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.repair", description=__doc__)
    parser.add_argument(
        "--case", action="append", default=[], metavar="NAME", help="only cases of this name, with story"
    )
    parser.add_argument(
        "--part", choices=["broken", "leave", "read", "adversarial"], help="only this part of the corpus"
    )
    parser.add_argument("--list", action="store_true", help="the names of all cases")
    parser.add_argument(
        "--taught", action="store_true",
        help="what a memory repairs by itself, that has seen the same failures of other apps repaired by rules",
    )  # fmt: skip
    parser.add_argument("--nomad", metavar="ADDRESS", help="some cases on a real agent with Docker instead")
    parser.add_argument("--rungs", action="store_true", help="with memory and a model on and off, side by side")
    parser.add_argument("--stub", choices=STUBS, help="the model by a script that is asked, whatever is set")
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
    if told.rungs:
        return _side_by_side(cases, told.stub)
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


def _side_by_side(cases: list[Case], wanted: str | None) -> int:
    """Ends with 1 where something was changed that must not be."""
    real = endpoint() if wanted is None else None
    if real is None:
        print(f"a model by a script ({wanted or 'right'}): what it costs and mends says nothing about any model\n")

    def tell(words: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{words:<90.90}", end="", file=sys.stderr)

    # People would not agree to what is wrong.
    found = compare.compared(cases, real or stub(wanted or "right"), agrees=wanted in (None, "right"), tell=tell)
    print(compare.table(found))
    print(f"written: {report.write_rungs(_FOLDER, found)}", file=sys.stderr)
    return 0 if not any(one.numbers["wrong"] for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
