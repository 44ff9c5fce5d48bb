"""The one table of frameworks: which dependency means which, and what each does where nobody says otherwise.

The first row whose dependency is there wins, so what builds on another stands before it. A port or a health path
stands here only where the framework itself has it without being told; a server may come with its own (`SERVERS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Work(StrEnum):
    """What a framework's app does all day."""

    WEB = "serves requests"
    WORKER = "waits for work"
    MODEL = "serves a model"
    STATIC = "is served as files"
    BATCH = "runs to its end"


@dataclass(frozen=True, slots=True)
class Framework:
    """`dependencies` are names in one ecosystem, any of which means it."""

    name: str
    ecosystem: str
    dependencies: tuple[str, ...]
    work: Work = Work.WEB
    port: int | None = None
    health: str | None = None
    start: tuple[str, ...] = ()
    language: str = ""


def _rows(ecosystem: str, *rows: tuple[str, str, Work, int | None, str | None, str]) -> Iterator[Framework]:
    for name, dependencies, work, port, health, start in rows:
        yield Framework(name, ecosystem, tuple(dependencies.split()), work, port, health, tuple(start.split()))


_WEB, _WORKER, _MODEL, _STATIC, _BATCH = Work.WEB, Work.WORKER, Work.MODEL, Work.STATIC, Work.BATCH

FRAMEWORKS: tuple[Framework, ...] = (
    *_rows(
        "pypi",
        # Source: docs.vllm.ai (OpenAI-compatible server), github.com/sgl-project/sglang (launch_server)
        ("vLLM", "vllm", _MODEL, 8000, "/health", ""),
        ("SGLang", "sglang", _MODEL, 30000, "/health", ""),
        # Source: docs.ray.io/en/latest/serve, docs.bentoml.com, mlflow.org/docs
        ("BentoML", "bentoml", _MODEL, 3000, "/healthz", ""),
        ("Django", "django", _WEB, 8000, None, ""),
        ("Streamlit", "streamlit", _WEB, 8501, "/_stcore/health", ""),
        ("Gradio", "gradio", _WEB, 7860, None, ""),
        ("Chainlit", "chainlit", _WEB, 8000, None, ""),
        ("Dash", "dash", _WEB, 8050, None, ""),
        ("FastAPI", "fastapi", _WEB, 8000, None, ""),
        ("Litestar", "litestar", _WEB, 8000, None, ""),
        ("Flask", "flask", _WEB, 5000, None, ""),
        ("Quart", "quart", _WEB, 5000, None, ""),
        ("Sanic", "sanic", _WEB, 8000, None, ""),
        ("Falcon", "falcon", _WEB, None, None, ""),
        ("Bottle", "bottle", _WEB, 8080, None, ""),
        ("Pyramid", "pyramid", _WEB, 6543, None, ""),
        ("Tornado", "tornado", _WEB, None, None, ""),
        ("aiohttp", "aiohttp-server", _WEB, 8080, None, ""),
        ("Starlette", "starlette", _WEB, 8000, None, ""),
        ("gRPC", "grpc-server", _WEB, None, None, ""),
        ("Celery", "celery", _WORKER, None, None, ""),
        ("Dramatiq", "dramatiq", _WORKER, None, None, ""),
        ("RQ", "rq", _WORKER, None, None, ""),
        ("Huey", "huey", _WORKER, None, None, ""),
        ("arq", "arq", _WORKER, None, None, ""),
        ("Faust", "faust faust-streaming", _WORKER, 6066, None, ""),
        ("aiogram", "aiogram python-telegram-bot discord-py", _WORKER, None, None, ""),
        ("Scrapy", "scrapy", _BATCH, None, None, ""),
        ("dbt", "dbt-core", _BATCH, None, None, ""),
    ),
    *_rows(
        "npm",
        ("Next.js", "next", _WEB, 3000, None, "next start"),
        ("Nuxt", "nuxt nuxt3", _WEB, 3000, None, "node .output/server/index.mjs"),
        ("Remix", "@remix-run/serve", _WEB, 3000, None, ""),
        ("SvelteKit", "@sveltejs/adapter-node", _WEB, 3000, None, "node build"),
        ("Strapi", "@strapi/strapi strapi", _WEB, 1337, "/_health", ""),
        ("NestJS", "@nestjs/core", _WEB, None, None, "node dist/main.js"),
        ("AdonisJS", "@adonisjs/core", _WEB, 3333, None, ""),
        ("Apollo Server", "apollo-server", _WEB, 4000, "/.well-known/apollo/server-health", ""),
        ("Fastify", "fastify", _WEB, None, None, ""),
        ("Koa", "koa", _WEB, None, None, ""),
        ("Hapi", "@hapi/hapi", _WEB, None, None, ""),
        ("Restify", "restify", _WEB, None, None, ""),
        ("Hono", "@hono/node-server", _WEB, 3000, None, ""),
        ("Express", "express", _WEB, None, None, ""),
        ("gRPC", "grpc-server", _WEB, None, None, ""),
        ("Moleculer", "moleculer", _WORKER, None, None, ""),
        ("BullMQ", "bullmq bull bee-queue agenda", _WORKER, None, None, ""),
        ("discord.js", "discord.js telegraf", _WORKER, None, None, ""),
        ("http-server", "http-server", _STATIC, 8080, "/", ""),
        ("serve", "serve", _STATIC, 3000, "/", ""),
        ("Angular", "@angular/core", _STATIC, None, None, ""),
        ("Astro", "astro", _STATIC, None, None, ""),
        ("Gatsby", "gatsby", _STATIC, None, None, ""),
        ("VitePress", "vitepress vuepress @docusaurus/core @11ty/eleventy", _STATIC, None, None, ""),
        ("React", "react-dom", _STATIC, None, None, ""),
        ("Vue", "vue", _STATIC, None, None, ""),
        ("Svelte", "svelte", _STATIC, None, None, ""),
    ),
    *_rows(
        "golang",
        ("Gin", "github.com/gin-gonic/gin", _WEB, None, None, ""),
        ("Echo", "github.com/labstack/echo github.com/labstack/echo/v4", _WEB, None, None, ""),
        (
            "Fiber",
            "github.com/gofiber/fiber github.com/gofiber/fiber/v2 github.com/gofiber/fiber/v3",
            _WEB,
            None,
            None,
            "",
        ),
        ("chi", "github.com/go-chi/chi github.com/go-chi/chi/v5", _WEB, None, None, ""),
        ("Gorilla", "github.com/gorilla/mux", _WEB, None, None, ""),
        ("httprouter", "github.com/julienschmidt/httprouter", _WEB, None, None, ""),
        ("fasthttp", "github.com/valyala/fasthttp", _WEB, None, None, ""),
        ("Beego", "github.com/beego/beego/v2 github.com/astaxie/beego", _WEB, 8080, None, ""),
        ("go-zero", "github.com/zeromicro/go-zero", _WEB, None, None, ""),
        ("Kratos", "github.com/go-kratos/kratos/v2", _WEB, None, None, ""),
        ("net/http", "net/http", _WEB, None, None, ""),
        ("gRPC", "grpc-server", _WEB, None, None, ""),
        ("Asynq", "github.com/hibiken/asynq", _WORKER, None, None, ""),
        ("Temporal", "go.temporal.io/sdk", _WORKER, None, None, ""),
        ("cron", "github.com/robfig/cron/v3 github.com/robfig/cron", _WORKER, None, None, ""),
    ),
    *_rows(
        "cargo",
        ("Actix Web", "actix-web", _WEB, None, None, ""),
        ("Axum", "axum", _WEB, None, None, ""),
        # Source: rocket.rs/guide, configuration: port 8000 in every profile
        ("Rocket", "rocket", _WEB, 8000, None, ""),
        ("Warp", "warp", _WEB, None, None, ""),
        ("Poem", "poem", _WEB, None, None, ""),
        ("Salvo", "salvo", _WEB, None, None, ""),
        ("Loco", "loco-rs", _WEB, 5150, "/_health", ""),
        ("Tide", "tide", _WEB, None, None, ""),
        ("Tonic", "grpc-server", _WEB, None, None, ""),
    ),
    *_rows(
        "maven",
        (
            "Quarkus",
            "io.quarkus/quarkus-resteasy io.quarkus/quarkus-resteasy-reactive io.quarkus/quarkus-rest"
            " io.quarkus/quarkus-rest-jackson io.quarkus/quarkus-resteasy-reactive-jackson"
            " io.quarkus/quarkus-resteasy-jackson io.quarkus/quarkus-vertx-http io.quarkus/quarkus-reactive-routes",
            _WEB,
            8080,
            None,
            "",
        ),
        ("Quarkus", "io.quarkus/quarkus-core io.quarkus/quarkus-arc", _WORKER, None, None, ""),
        (
            "Micronaut",
            "io.micronaut/micronaut-http-server-netty io.micronaut/micronaut-http-server",
            _WEB,
            8080,
            None,
            "",
        ),
        (
            "Spring Boot",
            "org.springframework.boot/spring-boot-starter-web org.springframework.boot/spring-boot-starter-webflux"
            " org.springframework.boot/spring-boot-starter-webmvc org.springframework.boot/spring-boot-starter-jersey"
            " org.springframework.boot/spring-boot-starter-graphql"
            " org.springframework.boot/spring-boot-starter-data-rest"
            " org.springframework.boot/spring-boot-starter-tomcat"
            " org.springframework.cloud/spring-cloud-starter-gateway"
            " org.springframework.cloud/spring-cloud-starter-gateway-server-webflux"
            " org.springframework.cloud/spring-cloud-starter-gateway-server-webmvc"
            " org.springframework.cloud/spring-cloud-config-server"
            " org.springframework.cloud/spring-cloud-starter-netflix-eureka-server",
            _WEB,
            8080,
            None,
            "",
        ),
        ("Spring Boot Batch", "org.springframework.boot/spring-boot-starter-batch", _BATCH, None, None, ""),
        (
            "Spring Boot",
            "org.springframework.boot/spring-boot-starter org.springframework.boot/spring-boot-starter-amqp"
            " org.springframework.boot/spring-boot",
            _WORKER,
            None,
            None,
            "",
        ),
        ("Dropwizard", "io.dropwizard/dropwizard-core", _WEB, 8080, None, ""),
        (
            "Ktor",
            "io.ktor/ktor-server-netty io.ktor/ktor-server-core io.ktor/ktor-server-cio"
            " io.ktor/ktor-server-netty-jvm io.ktor/ktor-server-core-jvm io.ktor/ktor-server-cio-jvm",
            _WEB,
            None,
            None,
            "",
        ),
        ("Vert.x", "io.vertx/vertx-web", _WEB, None, None, ""),
        ("gRPC", "grpc-server", _WEB, None, None, ""),
        ("Spark", "com.sparkjava/spark-core", _WEB, 4567, None, ""),
        ("Javalin", "io.javalin/javalin", _WEB, 8080, None, ""),
        ("Helidon", "io.helidon.webserver/helidon-webserver", _WEB, None, None, ""),
    ),
    *_rows(
        "gem",
        ("Rails", "rails railties", _WEB, 3000, None, "bundle exec rails server -b 0.0.0.0"),
        ("Hanami", "hanami", _WEB, 2300, None, ""),
        ("Sinatra", "sinatra", _WEB, 4567, None, ""),
        ("Grape", "grape", _WEB, 9292, None, ""),
        ("Roda", "roda", _WEB, 9292, None, ""),
        ("Sidekiq", "sidekiq", _WORKER, None, None, "bundle exec sidekiq"),
        ("Resque", "resque", _WORKER, None, None, ""),
        ("Karafka", "karafka", _WORKER, None, None, "bundle exec karafka server"),
        ("Jekyll", "jekyll", _STATIC, None, None, ""),
    ),
    *_rows(
        # The port of a PHP app is that of its web server, which is not in the code.
        "composer",
        ("Laravel", "laravel/framework", _WEB, None, None, ""),
        ("Lumen", "laravel/lumen-framework", _WEB, None, None, ""),
        ("Symfony", "symfony/framework-bundle", _WEB, None, None, ""),
        ("Slim", "slim/slim", _WEB, None, None, ""),
        ("CodeIgniter", "codeigniter4/framework", _WEB, None, None, ""),
        ("CakePHP", "cakephp/cakephp", _WEB, None, None, ""),
        ("Laminas", "laminas/laminas-mvc", _WEB, None, None, ""),
        ("Yii", "yiisoft/yii2", _WEB, None, None, ""),
        ("WordPress", "johnpbloch/wordpress roots/wordpress", _WEB, None, None, ""),
        ("Drupal", "drupal/core drupal/core-recommended", _WEB, None, None, ""),
    ),
    *_rows(
        "nuget",
        ("ASP.NET Core", "Microsoft.NET.Sdk.Web", _WEB, None, None, ""),
        ("ASP.NET Core", "Microsoft.AspNetCore.App", _WEB, None, None, ""),
        (".NET Worker", "Microsoft.NET.Sdk.Worker", _WORKER, None, None, ""),
        (".NET Worker", "Microsoft.Extensions.Hosting", _WORKER, None, None, ""),
    ),
)

# A server that the app is run by, and the port it takes without being told; it decides over the framework's own.
# Source: gunicorn `bind` 127.0.0.1:8000 (8000 with WEB_CONCURRENCY, too), uvicorn --port 8000, hypercorn --bind :8000,
# daphne -p 8000, waitress 8080, granian --port 8000
SERVERS: tuple[tuple[str, str, int], ...] = (
    ("pypi", "gunicorn", 8000),
    ("pypi", "hypercorn", 8000),
    ("pypi", "daphne", 8000),
    ("pypi", "granian", 8000),
    ("pypi", "waitress", 8080),
    ("pypi", "uvicorn", 8000),
)


def framework_of(ecosystem: str, known: frozenset[str]) -> tuple[Framework, str] | None:
    """The framework that dependencies of these names mean, and the dependency that says so."""
    rows = [row for row in FRAMEWORKS if row.ecosystem == ecosystem]
    for row in rows:
        for dependency in row.dependencies:
            if dependency in known:
                return row, dependency
    return None
