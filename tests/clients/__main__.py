"""Generate a TypeScript and a Python client; each drives the tour against a live shop: ``python -m tests.clients``.

A program and no unit test; it needs Node.js. What is generated goes into a folder of this run, except for the types of
the TypeScript client, which lie beside its tour and are not kept.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.support import scratch
from tests.support.live import serving_demo

HERE = Path(__file__).parent
TYPESCRIPT = HERE / "typescript"
BIN = Path(sys.executable).parent
RATES = {
    "LABOR_RATE": "120",
    "PARTS_TAX_RATE": "8.25",
    "LABOR_TAX_RATE": "4",
    "SUPPLIES_RATE": "5",
    "SUPPLIES_CAP": "20",
}
# The Python generator knows JSON and bytes.
CONFIG = "content_type_overrides:\n  application/pdf: application/octet-stream\n  text/csv: application/octet-stream\n"


def run(*command: str | Path, folder: Path = HERE, **environ: str) -> None:
    """Run a program to its end. Raises where it fails."""
    subprocess.run(command, cwd=folder, env={**os.environ, **environ}, check=True)


def tour(name: str) -> None:
    """One client's tour, against a shop of its own."""
    with serving_demo(**RATES) as (address, _database):
        document = scratch() / "openapi.json"
        with urllib.request.urlopen(f"{address}/openapi.json", timeout=30) as answer:
            document.write_bytes(answer.read())
        {"typescript": typescript, "python": python}[name](document, address)


def typescript(document: Path, address: str) -> None:
    """openapi-typescript for the types, openapi-fetch for the calls, compiled as strictly as can be."""
    if not (TYPESCRIPT / "node_modules").exists():
        run("npm", "ci", "--no-audit", "--no-fund", folder=TYPESCRIPT)
    run("npx", "openapi-typescript", document, "--output", "generated/api.d.ts", folder=TYPESCRIPT)
    generated = (TYPESCRIPT / "generated" / "api.d.ts").read_text().partition("export interface operations {")[2]
    require_whole(document, set(re.findall(r"^    (\w+): {$", generated, re.MULTILINE)))
    run("npx", "tsc", "--project", ".", folder=TYPESCRIPT)
    run("node", "built/tour.js", folder=TYPESCRIPT, SHOP=address)


def python(document: Path, address: str) -> None:
    """openapi-python-client, and its tour under mypy's strictest."""
    config = scratch() / "client.yaml"
    config.write_text(f"{CONFIG}post_hooks: []\n")
    package = scratch() / "client"
    generator = BIN / "openapi-python-client"
    options = ("--output-path", package, "--config", config, "--overwrite", "--fail-on-warning")
    run(generator, "generate", "--path", document, *options)  # a warning would drop an operation
    run(sys.executable, "-m", "compileall", "-q", package)
    require_whole(document, {module.stem for module in package.glob("*/api/*/*.py")})
    run(BIN / "mypy", "--strict", "--config-file=", "tour.py", MYPYPATH=str(package))
    run(sys.executable, "tour.py", SHOP=address, PYTHONPATH=str(package))


def require_whole(document: Path, names: set[str]) -> None:
    """Raises `RuntimeError` where an operation of the document is not among these names."""
    paths = json.loads(document.read_text())["paths"].values()
    known = {doc["operationId"] for path in paths for method, doc in path.items() if method != "parameters"}
    if dropped := known - names:
        raise RuntimeError(f"The generated client has no {', '.join(sorted(dropped))}.")


if __name__ == "__main__":
    for client in ("typescript", "python"):
        tour(client)
