"""Turns a desired app into its spec, parsing as little as possible.

A file that has not changed since its spec was verified needs no parser: the record holds the body. So drift is restored
while the server's parser is down, and a steady fleet costs no parse at all.
"""

from __future__ import annotations

from collections import OrderedDict

from desired.state import DesiredApp, HclSource, JobParser
from reconcilers.record import Record
from reconcilers.spec import Spec

_KEPT = 256


class Specs:
    """Keeps the last few hundred parsed specs by source hash."""

    def __init__(self, *, parser: JobParser) -> None:
        self._parser = parser
        self._kept: OrderedDict[str, Spec] = OrderedDict()

    async def of(self, app: DesiredApp, record: Record, revision: str) -> Spec:
        """Raises InvalidDesired, or a TransientError while the parser cannot be reached."""
        good, applied = record.last_good, record.applied
        # A repair may have led back to the last good version: what is applied is not what the file says, then.
        repaired = bool(record.overlay) or record.episode is not None
        as_written = good is not None and not good.repaired and not repaired
        if (
            as_written
            and good
            and applied
            and (applied.source_hash, applied.spec_hash) == (app.source_hash, good.spec.hash)
        ):
            return good.spec
        known = self._kept.get(app.source_hash)
        if known is not None:
            self._kept.move_to_end(app.source_hash)
            return known
        spec = await self._parse(app, revision)
        self._kept[app.source_hash] = spec
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return spec

    async def _parse(self, app: DesiredApp, revision: str) -> Spec:
        source = app.source
        if isinstance(source, HclSource):
            body = await self._parser.parse(source)
            written, kind, variables = source.text, "hcl2", source.variables
        else:
            body = source.body
            written, variables = source.text, ""
            kind = "json" if written.lstrip().startswith("{") else "hcl2"
        named = {**body, "Namespace": app.key.namespace}
        return Spec.of(named, text=written, format=kind, variables=variables, revision=revision, path=app.path)
