"""The playground on the site: `emlib/playground.js` as a classic script, which also works from a file.

From file:// a browser refuses modules. So at build time `write(folder)` puts the program as a classic script, and its
looks, beside the pages. A page that loads both, by `<link rel="stylesheet" href="_static/playground.css">` and
`<script src="_static/playground.js" defer></script>`, may hold any number of `<div class="em-playground"></div>`: each
becomes a playground with a link of its own. A `data-k` says how many components it opens with. Where there is no
JavaScript, what stands in the div is seen.
"""

import shutil
from pathlib import Path

from emlib.playground import FOLDER, joined

# What anywidget's model is to the playground, where there is no Python: `set` tells those who listen.
MOUNT = """
(() => {
  const shim = (values) => {
    const heard = {};
    return {
      get: (name) => values[name],
      set: (name, value) => {
        values[name] = value;
        (heard[`change:${name}`] ?? []).forEach((hear) => hear());
      },
      save_changes: () => {},
      on: (event, hear) => (heard[event] ??= []).push(hear),
      off: (event, hear) => (heard[event] = (heard[event] ?? []).filter((one) => one !== hear)),
    };
  };
  const mount = () => {
    for (const el of document.querySelectorAll(".em-playground")) {
      el.replaceChildren();
      const model = shim({ page: true, _K: Number(el.dataset.k) || 3 });
      window.emPlayground.render({ model, el });
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount);
  else mount();
})();
"""


def write(folder: Path) -> None:
    """Put `playground.js` and `playground.css` into a folder; what the module exports is `window.emPlayground`."""
    body = joined().replace("export default ", "window.emPlayground = ")
    script = f'(() => {{\n"use strict";\n{body}}})();\n{MOUNT}'
    (folder / "playground.js").write_text(script, encoding="utf-8")
    shutil.copy(FOLDER / "playground.css", folder)
