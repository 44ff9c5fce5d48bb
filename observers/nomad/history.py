"""Where one subscription stands: what it has delivered, and whether what comes now follows on that. Pure."""

from __future__ import annotations

from collections import OrderedDict

Identity = tuple[int, str, str, str]

# Far more than a server holds by default (event_buffer_size, 100 transactions), so that what another server, or one
# that lags behind, delivers again is known.
_REMEMBERED = 8192


class History:
    """Remembers the newest events of one subscription, and nothing older than a bound."""

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        self.index = 0
        self._seen: OrderedDict[Identity, None] = OrderedDict()
        self._remembered = remembered
        self._resumed_at = 0

    def resume(self) -> int:
        """The index to subscribe from, 0 for whatever the server holds.

        The last one seen and not the next: if it comes again, nothing was lost in between.
        """
        self._resumed_at = self.index
        return self.index

    def follows(self, index: int) -> str:
        """Why events may have been lost before this line; empty if none were. Asked once for each line, first."""
        resumed, self._resumed_at = self._resumed_at, 0
        if resumed and index > resumed:
            return f"the server no longer held what followed index {resumed}; it began at {index}"
        return ""

    def fresh(self, line: list[Identity]) -> tuple[list[bool], str]:
        """Which events of a line are new, and why events may have been lost before it.

        Within one line the same event may stand twice (a job purged and registered again): both are new.
        """
        new = [identity not in self._seen for identity in line]
        reason = ""
        newest = max((identity[0] for identity, is_new in zip(line, new, strict=True) if is_new), default=self.index)
        if newest < self.index:
            reason = (
                f"indexes went back from {self.index} to {newest}: another cluster, or one restored from a snapshot"
            )
            self._seen.clear()
        self.index = newest if reason else max(self.index, newest)
        for identity in line:
            self._seen[identity] = None
        while len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return new, reason
