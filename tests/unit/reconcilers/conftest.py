"""Makes the pure world importable by the tests beside it, whatever the import mode."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_spec = importlib.util.spec_from_file_location("reconcilers_world", Path(__file__).with_name("world.py"))
assert _spec is not None and _spec.loader is not None
if "reconcilers_world" not in sys.modules:
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["reconcilers_world"] = _module
    _spec.loader.exec_module(_module)
