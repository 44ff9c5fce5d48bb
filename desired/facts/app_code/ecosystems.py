"""The table of ecosystems: what comes first is the app's language where nothing else tells two apart.

Node stands last: the assets of an app in any other language are built with it.
"""

from __future__ import annotations

from desired.facts.app_code.dotnet import DOTNET
from desired.facts.app_code.ecosystem import Ecosystem
from desired.facts.app_code.go import GO
from desired.facts.app_code.java import JAVA
from desired.facts.app_code.node import NODE
from desired.facts.app_code.php import PHP
from desired.facts.app_code.python import PYTHON
from desired.facts.app_code.ruby import RUBY
from desired.facts.app_code.rust import RUST

ECOSYSTEMS: tuple[Ecosystem, ...] = (PYTHON, GO, RUST, JAVA, DOTNET, RUBY, PHP, NODE)
