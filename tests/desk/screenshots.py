"""Take the pictures of README anew, into docs/images: ``python -m tests.desk.screenshots``."""

import sys
from pathlib import Path

from PIL import Image

from app.commands import demo
from tests.desk.__main__ import HERE, demo_database, run
from tests.support import scratch

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def shrink(picture: Path) -> None:
    """Keep the picture with 256 colors, in a third of the bytes."""
    with Image.open(picture) as image:
        image.convert("RGB").quantize(256).save(IMAGES / picture.name, optimize=True)


def main() -> int:
    """The exit code."""
    pictures = scratch() / "pictures"
    pictures.mkdir()
    IMAGES.mkdir(exist_ok=True)
    if not run(HERE / "screenshots.mjs", demo_database(), PICTURES=str(pictures), LINK_TOKEN=demo.LINK_TOKEN):
        return 1
    for picture in sorted(pictures.glob("*.png")):
        shrink(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
