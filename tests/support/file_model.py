"""A plugin of `llm` whose models answer with a file: each prompt takes the next of its lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llm


class FileModel(llm.Model):
    """A model that answers with what $FILE_MODEL holds, and keeps what it was asked beside it."""

    def __init__(self, model_id: str, *, supports_schema: bool) -> None:
        self.model_id = model_id
        self.supports_schema = supports_schema

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:
        file = Path(os.environ["FILE_MODEL"])
        with file.with_suffix(".asked").open("a", encoding="utf-8") as asked:
            asked.write(prompt.prompt + "\n=====\n")
        answer = file.read_text(encoding="utf-8")
        if answer.startswith("raise "):
            raise RuntimeError(answer.removeprefix("raise "))
        yield answer


@llm.hookimpl
def register_models(register: Any) -> None:
    register(FileModel("file-model", supports_schema=True))
    register(FileModel("plain-model", supports_schema=False))
