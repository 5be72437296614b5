"""The documentation site: ``sphinx-build -W docs site``."""

from __future__ import annotations

import mgtag

project = "mgtag"
release = mgtag.__version__
project_copyright = "The mgtag authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
# Links that leave docs/ (to train/RESULTS.md, say) are for readers of the repository;
# tests/test_docs.py checks them.
suppress_warnings = ["myst.xref_missing"]
napoleon_google_docstring = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = f"mgtag {release}"
