"""Every setting is on its page. ``RENEW=1`` in the environment writes the page anew."""

import os
from pathlib import Path

from pydantic import BaseModel

from sightline.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
HEAD = """# Settings

From the command line, the environment and a TOML file, in this order.
`limits.body_bytes` is `SIGHTLINE_LIMITS__BODY_BYTES` in the environment, and `body_bytes` under `[limits]` in the file.
Lists are separated by commas in the environment. Sizes may be written as `10GiB`.

| setting | unsaid | what |
|---|---|---|
"""


def rows(model, prefix=""):
    for name, field in model.model_fields.items():
        default = field.default
        if name == "output_folder":
            yield "| `OUTPUT_FOLDER` | | the older name of `video_pipeline.frames_folder` |"
        elif isinstance(default, BaseModel):
            yield from rows(type(default), f"{prefix}{name}.")
        else:
            said = " ".join((field.description or "").split()).replace("``", "`")
            yield f"| `{prefix}{name}` | {unsaid(name, default)} | {said} |"


def unsaid(name, default):
    if name == "data_folder":
        return "the user's data folder"
    if default is None or default == ():
        return ""
    return f"`{', '.join(map(str, default)) if isinstance(default, tuple) else default}`"


def test_every_setting_is_on_its_page():
    page = HEAD + "\n".join(rows(Settings)) + "\n"
    if "RENEW" in os.environ:
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_every_setting_says_what_it_is():
    assert not [row for row in rows(Settings) if row.rstrip(" |").endswith("| |")]
