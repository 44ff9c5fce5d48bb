"""A small API."""

import os

from flask import Flask, jsonify

from app.settings import Settings


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    settings = Settings()

    @app.get("/healthz")
    def healthz():
        return jsonify(status="ok")

    @app.get("/")
    def index():
        return jsonify(greeting=settings.greeting, page_size=settings.page_size)

    return app


if __name__ == "__main__":
    create_app().run(host=os.getenv("APP_HOST", "127.0.0.1"), port=int(os.getenv("APP_PORT", "5000")))
