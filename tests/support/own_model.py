"""A model of our own for `timeline draft` and the desk: it answers with a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from running import CHECKOUT, environment


def environment_of_model(folder: Path, answer: Any) -> dict[str, str]:
    """The environment in which `llm` finds the model, which gives this answer.

    What the model was asked is in answer.asked in the folder.
    """
    about = folder / "plugins" / "file_model-1.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: file-model\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[llm]\nfile_model = file_model\n")
    text = answer if isinstance(answer, str) else json.dumps(answer)
    (folder / "answer").write_text(text, encoding="utf-8")
    asked = [str(CHECKOUT), str(about.parent), str(CHECKOUT / "tests" / "support")]
    return environment(
        PYTHONPATH=":".join(asked),
        FILE_MODEL=str(folder / "answer"),
        LLM_USER_PATH=str(folder / "llm"),
    )
