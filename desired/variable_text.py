"""Variable files of HCL put together: what the manifest says stands instead of what the file beside the job says."""

from __future__ import annotations

from desired.job.hcl_source import Source
from desired.job.hcl_syntax import read_syntax


def overridden(beside: str, given: str) -> str:
    """Both texts as one. HCL refuses an argument that is set twice, so the first of two is cut out.

    The lines of `beside` keep their numbers, for they are what problems name. A text that cannot be read stays as it
    is: whoever parses it tells what is wrong.
    """
    if not beside or not given:
        return beside or given
    source = Source(beside)
    body, wrong = read_syntax(source)
    names = read_syntax(Source(given))[0].attributes
    text = source.text
    if not wrong:
        places = sorted((found.place for name, found in body.attributes.items() if name in names), reverse=True)
        for start, end in places:
            text = text[:start] + "\n" * text.count("\n", start, end) + text[end:]
    return f"{text}\n{given}"
