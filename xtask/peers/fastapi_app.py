"""The back end that most people would write first: FastAPI, uvicorn and SQLite, one commit for each request."""

import json
import os
import sqlite3
import threading
import uuid

from fastapi import FastAPI
from pydantic import BaseModel

DATABASE = os.path.join(os.environ["PEER_DATA"], "peer.db")


class Intent(BaseModel):
    intent_type: str
    session_id: str = ""
    parameters: dict = {}


app = FastAPI()
of_thread = threading.local()


def database() -> sqlite3.Connection:
    """A connection for each thread, as durable as the product's."""
    if not hasattr(of_thread, "connection"):
        of_thread.connection = sqlite3.connect(DATABASE, timeout=30)
        of_thread.connection.execute("PRAGMA journal_mode = WAL")
        of_thread.connection.execute("PRAGMA synchronous = FULL")
        of_thread.connection.execute("CREATE TABLE IF NOT EXISTS intent (id TEXT PRIMARY KEY, body TEXT NOT NULL)")
    return of_thread.connection


@app.post("/submit")
def submit(intent: Intent) -> dict:
    execution_id = f"exec_{uuid.uuid4()}"
    with database() as connection:
        connection.execute("INSERT INTO intent VALUES (?, ?)", (execution_id, json.dumps(intent.model_dump())))
    return {"execution_id": execution_id, "status": "accepted"}


@app.get("/ready")
async def ready() -> str:
    return "ready"
