"""The playground on the site: `emlib/playground.js` as a classic script, which also works from a file.

From file:// a browser refuses modules. So at build time

    script = classic_script((ROOT / "emlib" / "playground.js").read_text()) + MOUNT

goes into a file beside the pages, say `_static/playground.js`, which a page loads by `<script src=... defer></script>`.
Every `<div class="em-playground"></div>` of that page then becomes a playground with a link of its own.
A `data-k` says how many components it opens with. Where there is no JavaScript, what stands in the div is seen.
"""

import re

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


def classic_script(js: str) -> str:
    """An ES module without imports as a classic script: what it exports by default is `window.emPlayground`."""
    body, n_defaults = re.subn(r"^export default ", "window.emPlayground = ", js, flags=re.M)
    body = re.sub(r"^export (?=(?:async )?(?:function|class|const|let)\b)", "", body, flags=re.M)
    body = re.sub(r"^export \{[^}]*\};?$", "", body, flags=re.M)
    if n_defaults != 1 or re.search(r"^(?:export|import)\b", body, flags=re.M):
        raise ValueError("this module is not of the kind that one default export and plain exports make")
    return f'(() => {{\n"use strict";\n{body}}})();\n'
