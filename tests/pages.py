"""What may not be on the site, looked for in its files and in a browser's page. `test_site.py` asks for it."""

from html.parser import HTMLParser
from importlib.resources import files
from urllib.parse import unquote, urldefrag

# What a page loads by itself, as opposed to where it leads.
LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
AXE = files("axe_playwright_python") / "axe.min.js"


class Page(HTMLParser):
    """One page: the names in it, what it loads, where it leads, and its pictures."""

    def __init__(self, path):
        super().__init__()
        self.path, self.names, self.loads, self.links, self.pictures = path, set(), [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.names |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if given.get(LOADED.get(tag, "")):
            self.loads.append(given[LOADED[tag]])
        if tag == "img":
            self.pictures.append(given)


def outside(address):
    return address.startswith(("http:", "https:", "//"))


def faults(folder):
    """What is wrong with the pages of a folder, one line each: links, outside requests, pictures without a text."""
    pages = {path: Page(path) for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts}
    found = []
    for path, page in pages.items():
        where = path.relative_to(folder)
        for address in [*page.links, *page.loads]:
            if outside(address) or address.startswith(("mailto:", "data:")):
                continue
            target, name = urldefrag(unquote(address))
            goal = (path.parent / target.partition("?")[0]).resolve() if target else path
            if not goal.is_file():
                found.append(f"{where}: {address} leads nowhere")
            elif name and goal in pages and name not in pages[goal].names:
                found.append(f"{where}: {address} leads to no place on that page")
        found += [
            f"{where}: {address} is loaded from elsewhere" for address in page.loads if outside(address)
        ]
        found += [
            f"{where}: no text for {p.get('src')}" for p in page.pictures if not (p.get("alt") or "").strip()
        ]
    return found


def complaints(page):
    """A list that fills with what the console and the network of a browser's page say against it."""
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("response", lambda r: said.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.on("requestfailed", lambda r: said.append(f"failed: {r.url}") if r.url.startswith("file:") else None)
    page.on(
        "request",
        lambda r: said.append(f"asks {r.url}") if outside(r.url) and "127.0.0.1" not in r.url else None,
    )
    return said


def barriers(page):
    """What axe-core finds serious on a page, for readers who cannot see, or use no mouse."""
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {preload: false, resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def too_wide(page):
    """By how many pixels a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
