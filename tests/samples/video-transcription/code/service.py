"""Takes videos from a queue, writes what was said in them to a bucket."""

import os

import boto3
import pika
from fastapi import FastAPI
from faster_whisper import WhisperModel

app = FastAPI()
model = WhisperModel(os.environ["MODEL_NAME"], device="cuda")
bucket = boto3.client(
    "s3",
    aws_access_key_id=os.environ["S3_ACCESS_KEY"],
    aws_secret_access_key=os.environ["S3_SECRET_KEY"],
)
queue = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
workers = int(os.environ.get("WORKERS", "1"))
temp_dir = os.environ.get("TEMP_DIR", "/tmp")


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
