"""`python -m nomad_operator`."""

from __future__ import annotations

import sys

try:
    from nomad_operator.cli import main
except KeyboardInterrupt:
    # Before there is anything that could say more.
    sys.exit(130)

sys.exit(main())
