"""Run by the Python of TRL's environment: files of an export as TRL reads them, one JSON line of answers each.

It imports nothing of ours. Arguments are the files.
"""

import importlib
import json
import sys
from typing import Any


class Tokenizer:
    """A chat template without a model: each message as its role and text, in lines."""

    chat_template = "each message is a line"

    def apply_chat_template(self, messages: list[dict[str, str]], **_options: Any) -> str:
        """Return messages as lines."""
        return "".join(f"<{message['role']}>{message['content']}\n" for message in messages)


def read_file(file: str) -> dict[str, Any]:
    """Return what TRL makes of a file: rows, whether they are messages, columns, the first as its trainers see it."""
    datasets, trl = importlib.import_module("datasets"), importlib.import_module("trl.data_utils")
    kind = "parquet" if file.endswith(".parquet") else "json"
    rows = datasets.load_dataset(kind, data_files=file, split="train")
    examples = [{name: value for name, value in row.items() if name != "meta"} for row in rows]
    seen = [
        trl.apply_chat_template(each, Tokenizer()) if trl.is_conversational(each) else trl.maybe_extract_prompt(each)
        for each in examples
    ]
    return {
        "rows": len(examples),
        "messages": sorted({trl.is_conversational(each) for each in examples}),
        "columns": sorted(examples[0]),
        "first": seen[0],
    }


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(json.dumps(read_file(name)) + "\n")
