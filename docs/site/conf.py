"""The configuration of the site: Sphinx reads it, `make docs` starts Sphinx."""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
settings = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text())

project = "TickerQ for Celery"
copyright = "the tickerq-celery maintainers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_extension"]
repository = settings["tool"]["tickerq"]["repository"]
# What builds the site is no page of it.
exclude_patterns = ["site"]

# The anchors that a code host gives to headings, so that a link leads to the same place on both.
myst_heading_anchors = 6

# A section of our docstrings that Google has not.
napoleon_custom_sections = [("Keys", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_display_short_literal_types = True
python_maximum_signature_line_length = 90

html_theme = "furo"
html_title = project
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
pygments_style = "default"
pygments_dark_style = "github-dark"
