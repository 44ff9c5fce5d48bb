"""How much an app is given where nothing says: its size, from what it is built with, and what each size comes to.

Works on merged facts, after every extractor: whatever a source states of cpu and memory stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from desired.facts.fact import Fact, Place
from desired.facts.facts import Facts, Size

NAME = "sizing"


@dataclass(frozen=True, slots=True)
class Allowance:
    """MHz and MB of one size."""

    cpu: int
    memory: int


# Where to begin, not where to stay: enough to start and to serve little, and repairs raise what proves too small.
# LIGHT: a compiled binary or a small script idles in 10-80 MB; static files need less.
# MEDIUM: one or two workers of an interpreted framework (Django, Rails, Nest) take 150-400 MB once warm; a small .NET
# service the same.
# HEAVY: a JVM takes about 400-800 MB with Spring before any load; data frames and browsers as much.
# COMPUTE: a small model's weights and its runtime on the CPU side; what the GPU holds comes on top.
ALLOWANCES: dict[Size, Allowance] = {
    Size.LIGHT: Allowance(cpu=200, memory=256),
    Size.MEDIUM: Allowance(cpu=500, memory=512),
    Size.HEAVY: Allowance(cpu=1000, memory=1024),
    Size.COMPUTE: Allowance(cpu=2000, memory=4096),
}

_MODELS = frozenset(
    (
        *("torch", "tensorflow", "transformers", "sentence-transformers", "jax", "openai-whisper", "faster-whisper"),
        *("diffusers", "vllm", "sglang", "llama-cpp-python", "ctranslate2", "keras", "paddlepaddle", "whisperx"),
    )
)
_HEAVY = frozenset(
    (
        *("pypi/pandas", "pypi/scipy", "pypi/scikit-learn", "pypi/pyspark", "pypi/dask", "pypi/polars", "pypi/spacy"),
        *("pypi/opencv-python", "pypi/opencv-python-headless", "pypi/moviepy", "pypi/xgboost", "pypi/lightgbm"),
        *("pypi/onnxruntime", "pypi/playwright", "pypi/selenium", "pypi/pyarrow", "pypi/geopandas"),
        *("npm/puppeteer", "npm/playwright", "npm/@tensorflow/tfjs-node"),
        *("gem/ferrum", "gem/grover", "golang/github.com/chromedp/chromedp", "nuget/Microsoft.Playwright"),
    )
)
_WHOLE = frozenset(
    (
        *(
            "Django",
            "Rails",
            "Laravel",
            "Symfony",
            "Next.js",
            "Nuxt",
            "NestJS",
            "Strapi",
            "Streamlit",
            "Gradio",
            "Dash",
        ),
        *("ASP.NET Core", "AdonisJS", "CakePHP", "Drupal", "WordPress", "Celery", "Sidekiq", "Remix", "Chainlit"),
    )
)
_STATIC = frozenset(
    (
        "static site",
        "serve",
        "http-server",
        "Angular",
        "Astro",
        "Gatsby",
        "VitePress",
        "React",
        "Vue",
        "Svelte",
        "Jekyll",
    )
)
_MODEL_SERVERS = frozenset(("vLLM", "SGLang", "BentoML"))
_JVM = frozenset(("java", "kotlin", "scala"))
_COMPILED = frozenset(("go", "rust"))
_FEW = 12
# Images that people run as they are, by the last part of their name.
_IMAGES: dict[str, Size] = {
    **dict.fromkeys(("nginx", "httpd", "caddy", "traefik", "haproxy", "redis", "valkey", "memcached"), Size.LIGHT),
    **dict.fromkeys(("busybox", "alpine", "nats", "eclipse-mosquitto", "consul", "registry", "mailhog"), Size.LIGHT),
    **dict.fromkeys(("postgres", "mysql", "mariadb", "mongo", "rabbitmq", "grafana", "minio", "qdrant"), Size.MEDIUM),
    **dict.fromkeys(("prometheus", "vault", "wordpress", "nextcloud", "influxdb"), Size.MEDIUM),
    **dict.fromkeys(("elasticsearch", "opensearch", "kafka", "cp-kafka", "cassandra", "clickhouse"), Size.HEAVY),
    **dict.fromkeys(("clickhouse-server", "neo4j", "jenkins", "keycloak", "solr", "milvus", "sonarqube"), Size.HEAVY),
    **dict.fromkeys(("vllm-openai", "text-generation-inference", "ollama", "tritonserver"), Size.COMPUTE),
}


def sized(facts: Facts) -> Facts:
    """The facts with a size, and with its cpu and memory where no source states them. Doing it again is safe."""
    size = facts.size or size_of(facts)
    allowance = ALLOWANCES[size.value]
    cpu = facts.cpu or _given(allowance.cpu, size)
    memory = facts.memory or _given(_below_maximum(allowance.memory, facts), size)
    return replace(facts, size=size, cpu=cpu, memory=memory)


def size_of(facts: Facts) -> Fact[Size]:
    """The first of the reasons that holds, the largest sizes first."""
    value, confidence, place, reason = next(_reasons(facts))
    return Fact(value, NAME, confidence, place, reason)


def _given(amount: int, size: Fact[Size]) -> Fact[int]:
    return Fact(amount, NAME, min(size.confidence, 0.4), size.place, f"{size.value}: {size.reason}")


def _below_maximum(memory: int, facts: Facts) -> int:
    return memory if facts.memory_max is None else min(memory, facts.memory_max.value)


def _reasons(facts: Facts) -> Iterator[tuple[Size, float, Place | None, str]]:
    if facts.gpu is not None and facts.gpu.value > 0:
        yield Size.COMPUTE, 0.6, facts.gpu.place, "it needs a GPU"
    framework = facts.framework.value if facts.framework is not None else ""
    where = facts.framework.place if facts.framework is not None else None
    if framework in _MODEL_SERVERS:
        yield Size.COMPUTE, 0.6, where, f"{framework} serves models"
    yield from _by_dependencies(facts)
    image = _image(facts)
    if facts.image_name is not None and image in _IMAGES and facts.language is None:
        yield _IMAGES[image], 0.5, facts.image_name.place, f"what {image} needs for little data"
    language = facts.language.value if facts.language is not None else ""
    if language in _JVM:
        yield Size.HEAVY, 0.5, where or _place(facts), f"{framework or language} runs on the JVM"
    if framework in _STATIC:
        yield Size.LIGHT, 0.5, where, f"{framework}: static files"
    if language in _COMPILED:
        yield Size.LIGHT, 0.5, _place(facts), f"one binary, compiled from {language}"
    if framework in _WHOLE:
        yield Size.MEDIUM, 0.5, where, f"built with {framework}"
    count = len(facts.dependencies)
    if language and count <= _FEW:
        told = f"{count} direct dependenc{'y' if count == 1 else 'ies'}" if count else "no dependency that is known"
        yield Size.LIGHT, 0.4, where or _place(facts), f"a small {language} app with {told}"
    if language:
        yield Size.MEDIUM, 0.4, where or _place(facts), f"a {language} app with {count} direct dependencies"
    yield Size.MEDIUM, 0.2, None, "nothing says what it needs"


def _by_dependencies(facts: Facts) -> Iterator[tuple[Size, float, Place | None, str]]:
    for (ecosystem, name), fact in facts.dependencies.items():
        if ecosystem == "pypi" and name in _MODELS:
            yield Size.COMPUTE, 0.5, fact.place, f"runs models by {name}"
    for (ecosystem, name), fact in facts.dependencies.items():
        if f"{ecosystem}/{name}" in _HEAVY:
            yield Size.HEAVY, 0.5, fact.place, f"{name} takes much memory"


def _place(facts: Facts) -> Place | None:
    return facts.language.place if facts.language is not None else None


def _image(facts: Facts) -> str:
    return facts.image_name.value.rpartition("/")[2].lower() if facts.image_name is not None else ""
