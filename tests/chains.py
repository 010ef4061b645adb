"""Chains of steps by chance, and the question whether lifting and compiling them say the same."""

import json
import random
from pathlib import Path
from typing import Any

from workbench.decode.registry import EventType, Hop, Registry, make_registry, read_step
from workbench.query.upcast.sql import compile_path
from workbench.query.upcast.text import quote_path, quote_text

NAMES = ("a", "b", "o", "x y")
SCALARS = (
    *("1", "-7", "1.50", "1e2", "12345678.125", "true", "false", "null", '""', '"x"', '"x y z"', '"null"', '"true"'),
    *('"1"', '"1.50"', '"1e400"', '"1e-400"', '"0e-5"', '"-0"', '"01"', '" 1"', '"12\\n"', '"9223372036854775808"'),
    *('"a\\"b\\né"', '"12345678.125"', '"-9223372036854775808"'),
)


def make_type(*steps: dict[str, Any], name: str = "T", start: int = 1) -> Registry:
    hop = Hop(start, start + 1, tuple(read_step(step, Path("t.toml")) for step in steps))
    return make_registry({name: EventType(name, start, start + 1, {}, {start: hop})})


class Maker:
    """Steps and payloads by chance, out of few names, so that they meet."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret

    def path(self) -> str:
        return ".".join(self.chance.choices(NAMES, k=self.chance.choice((1, 1, 1, 2, 2, 3))))

    def value(self, depth: int = 2) -> str:
        kind = self.chance.random()
        if depth and kind < 0.35:
            return self.payload(depth - 1)
        if depth and kind < 0.42:
            return f"[{self.value(0)},{self.value(0)}]"
        return self.chance.choice(SCALARS)

    def payload(self, depth: int = 2) -> str:
        names = self.chance.sample(NAMES, self.chance.randrange(4))
        return "{" + ",".join(f'"{name}":{self.value(depth)}' for name in names) + "}"

    def constant(self) -> Any:
        return json.loads(self.value(1))

    def step(self) -> dict[str, Any]:
        pick, path = self.chance.choice, self.path()
        keys = self.chance.sample(("1", "1.50", "x", "null", "true", ""), self.chance.randrange(3))
        otherwise = {"otherwise": self.constant()} if pick((True, False)) else {}
        return pick(
            (
                {"rename": path, "to": pick(NAMES)},
                {"move": path, "to": self.path()},
                {"default": path, "value": self.constant()},
                {"map": path, "values": {key: self.constant() for key in keys}, **otherwise},
                {
                    "cast": path,
                    "as": pick(("string", "integer", "number", "boolean")),
                    "on_failure": pick(("keep", "null", "absent")),
                },
                {"split": path, "by": pick((" ", "\n", "x")), "into": self.chance.sample(NAMES, pick((1, 2, 3)))},
                {"drop": path},
            )
        )


def make_question(seed: int) -> tuple[str, list[tuple[str, str, str]]]:
    """Return a statement whose columns a0, b0, a1, b1 … must be equal pair by pair, and what each pair is about.

    The first of a pair is compiled over the payloads as written, the second reads what Python lifted.
    """
    maker = Maker(seed)
    registry = make_type(*(maker.step() for _ in range(maker.chance.choice((1, 1, 2, 3)))))
    payloads = [*(maker.payload() for _ in range(12)), "{}", "[1]", "5", "null"]
    rows = [(text, registry.upcast("T", 1, text)[1] or "") for text in payloads]
    values = ", ".join(f"('T', 1, {quote_text(text)}, {quote_text(lifted)})" for text, lifted in rows)
    asked: list[tuple[str, str, str]] = []
    columns = []
    for path in sorted({maker.path() for _ in range(6)}):
        place = f"lifted, {quote_path(path.split('.'))}"
        plain = {
            "scalar": f"json_extract_scalar({place})",
            "json": f"json_format(json_extract({place}))",
            "exists": f"json_extract({place}) is not null",
        }
        for form, written in plain.items():
            compiled = compile_path(registry, path.split("."), form=form)  # type: ignore[arg-type]  # a key of the above
            assert compiled is not None or form == "json"
            if compiled is not None:
                columns.append(f"{compiled} as a{len(asked)}, {written} as b{len(asked)}")
                asked.append((path, form, compiled))
    statement = f"select {', '.join(columns)} from (values {values}) as t(event_type, schema_version, data, lifted)"  # noqa: S608 - our own text
    return statement, asked
