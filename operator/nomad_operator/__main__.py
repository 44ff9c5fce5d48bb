"""`python -m nomad_operator`."""

from __future__ import annotations

import sys

from nomad_operator.cli import main

sys.exit(main())
