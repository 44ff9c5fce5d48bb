"""What the parser said of each text, kept: the catalog needs the key of a job, and every pass its body.

Without it a first deployment of a thousand files asks the server's parser again at every pass. It also keeps a job the
same job: HCL may call `timestamp()`, and would be another one each time.
"""

from __future__ import annotations

import json
from collections import OrderedDict

from desired.state import HclSource, JobBody, JobParser

# Of JSON, some ten kilobytes for a large job.
_KEPT_CHARACTERS = 16 * 1024 * 1024


class ParsedJobs:
    """A `JobParser` in front of another. What failed is not kept; beyond `most` characters the oldest go."""

    def __init__(self, *, parser: JobParser, most: int = _KEPT_CHARACTERS) -> None:
        self._parser = parser
        self._most = most
        self._size = 0
        # As text: objects would be ten times the size.
        self._kept: OrderedDict[HclSource, str] = OrderedDict()

    async def parse(self, source: HclSource) -> JobBody:
        """The body is made anew at each call; a caller may keep it. Errors are the parser's own."""
        known = self._kept.get(source)
        if known is None:
            body = await self._parser.parse(source)
            self._keep(source, json.dumps(body, separators=(",", ":"), ensure_ascii=False))
            return body
        self._kept.move_to_end(source)
        kept: JobBody = json.loads(known)
        return kept

    def _keep(self, source: HclSource, text: str) -> None:
        # Two may have asked at once.
        self._size += len(text) - len(self._kept.pop(source, ""))
        self._kept[source] = text
        while self._size > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped)
