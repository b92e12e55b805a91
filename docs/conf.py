"""Sphinx's settings. It reads the folder that build.py lays out."""

project = "Expectation-maximization"
author = "The emlib authors"
project_copyright = "The emlib authors; text and pictures CC BY 4.0, code BSD-3-Clause"
html_title = "Expectation-maximization"

extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_codeautolink"]
exclude_patterns = ["README.md", "extra", "static", "templates"]
templates_path = ["templates"]

# Text: Markdown with formulas; links to headings.
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

# The lessons have run already.
nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"

# Formulas: MathJax from a package, not from another host.
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}

# The reference of emlib.
default_role = "py:obj"  # `fit` in a docstring leads to fit
numpydoc_show_class_members = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
codeautolink_concat_default = True
codeautolink_warn_on_missing_inventory = False

# Looks.
html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_extra_path = ["extra"]
html_css_files = ["site.css"]
html_js_files = [("film.js", {"defer": "defer"}), "page.js"]
html_favicon = "static/favicon.svg"
html_use_index = html_domain_indices = False  # the search finds more
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_persistent": [],
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
}
