"""The output of the stock generator: openapi-python-client without changes, and the document with the overlays.

`python -m benchmarks.stock` writes it to `benchmarks/build`. It needs the development environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).parent / "build"
PACKAGE = "stock_client"


def generate() -> None:
    """Generate the stock client."""
    from generator.__main__ import OVERLAYS, ROOT, overlaid

    document, _ = overlaid(ROOT / "openapi.yaml", ROOT / OVERLAYS)
    BUILD.mkdir(exist_ok=True)
    source = BUILD / "openapi.json"
    source.write_text(json.dumps(document), "utf-8")
    tool = Path(sys.executable).parent / "openapi-python-client"
    # It warns of the parts of the document that it omits; bindings are not among them.
    command: list[str | Path] = [
        tool,
        "generate",
        "--path",
        source,
        "--meta",
        "none",
        "--overwrite",
        "--output-path",
        BUILD / PACKAGE,
    ]
    path = os.pathsep.join((str(tool.parent), os.environ["PATH"]))
    subprocess.run(command, check=True, env={**os.environ, "PATH": path}, capture_output=True)


if __name__ == "__main__":
    generate()
