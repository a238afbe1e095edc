"""How Sphinx builds the documentation: ``make docs``. Nothing is fetched from the network."""

from ttgateway import __version__

project = "ttgateway"
author = "The ttgateway founders"
version = release = __version__
root_doc = "index"
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "An in-store order gateway", "page_width": "1100px"}
html_show_copyright = False
nitpicky = True
