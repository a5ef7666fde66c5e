"""What was written to files, made to survive a power cut (fsync of the file, and of the folder that names it)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def synchronise(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def synchronise_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
