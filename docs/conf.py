"""How Sphinx builds the documentation: ``make docs``. Nothing is fetched from the network."""

import sys
from pathlib import Path

from ttgateway import __version__

sys.path[:0] = [str(Path(__file__).parent / "extensions"), str(Path(__file__).parent.parent)]

project = "ttgateway"
author = "The ttgateway founders"
version = release = __version__
root_doc = "index"
exclude_patterns = ["_build"]
extensions = ["reference"]
html_theme = "alabaster"
html_theme_options = {"description": "An in-store order gateway", "page_width": "1100px"}
html_show_copyright = False
nitpicky = True
