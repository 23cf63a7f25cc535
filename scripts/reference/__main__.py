"""Write all pages into the directory that the first argument names."""

import sys
from pathlib import Path

from .pages import write_pages

if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
