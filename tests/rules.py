"""The arithmetic of the lessons' rules: sizes, minutes, exercises, needs, and what may not be seen too early.

Everything is counted in the sources, notebooks/source/*.md. `tests/test_rules.py` holds the lessons to it.
"""

import ast
import builtins
import io
import keyword
import math
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jupytext
import lessons
import yaml

SHORT_ROAD = ("01", "02", "03", "04")
EXERCISE_MINUTES, FILM_MINUTES = 5, 3
# Some limits differ: True is for lessons of the short road, False for those beyond, whose text is harder.
WORDS_A_MINUTE, LINES_A_MINUTE = {True: 80, False: 60}, {True: 12, False: 9}
MOST_CELLS, MOST_WORDS, MOST_LINES = 75, {True: 2500, False: 2000}, {True: 230, False: 190}
MOST_SECTION_CELLS, MOST_SECTION_WORDS = 14, 450
MOST_BOXES, MOST_BOX_WORDS = 3, 230
MOST_MINUTES, MOST_READING = 75, 60
MOST_SOLUTION_LINES = 8
LONG_LINE = 20  # characters; a shorter line of a solution may stand anywhere

# Parts of the library that readers are not meant to know, and ways of writing that hide what is done.
INTERNALS = {
    "outlook()": r"\boutlook\(",
    ".doubt()": r"\.doubt\(",
    ".suspicion()": r"\.suspicion\(",
    "Fraction": r"\bFraction\b",
    "precisions_cholesky_": r"\bprecisions_cholesky_",
    "as Peer": r" as Peer\b",
    "unpacking of a single thing": r"(?m)^\s*(\(\w+,\)|\w+,) *=(?!=)",
}


# Lessons as cells -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A cell of a lesson: `kind` is "code" or "markdown"; `hidden` if its code is collapsed."""

    kind: str
    source: str
    tags: frozenset[str] = frozenset()
    hidden: bool = False


@dataclass(frozen=True)
class Lesson:
    """A lesson: its number as in the file's name, its cells, and the minutes that its head adds to the rule."""

    number: str
    cells: tuple[Cell, ...]
    extra: int = 0

    @property
    def short(self) -> bool:
        """Whether it is one of the short road, with limits of their own."""
        return self.number in SHORT_ROAD

    def of(self, kind: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind == kind]


def from_text(text: str, number: str) -> Lesson:
    """A lesson from its source.

    Minutes beyond the rule stand in the head of the source, as `course: {extra: 25}`. `lessons.read` keeps
    nothing of that head but the kernel, so that the notebook does not change by it.
    """
    head = re.match(r"---\n(.*?)\n---\n", text, flags=re.DOTALL)
    front = yaml.safe_load(head.group(1)) if head else {}
    cells = tuple(
        Cell(
            kind=cell.cell_type,
            source=cell.source,
            tags=frozenset(cell.metadata.get("tags", [])),
            hidden=bool(cell.metadata.get("jupyter", {}).get("source_hidden", False)),
        )
        for cell in jupytext.reads(text, fmt="md:myst").cells
    )
    return Lesson(number, cells, front.get("course", {}).get("extra", 0))


@cache
def from_file(path: Path) -> Lesson:
    return from_text(path.read_text(encoding="utf-8"), path.stem.split("_")[0])


def all_lessons() -> list[Lesson]:
    """The lessons in their order, and the start page."""
    return [from_file(path) for path in lessons.sources()]


# Words ----------------------------------------------------------------------------------------------------


def prose(markdown: str, code: bool = True) -> str:
    """What a reader reads of a text: without solutions, hints, pictures, and the addresses of links.

    A formula becomes one word. Code between backticks stays, unless `code` is false.
    """
    text = re.sub(r"<details>.*?</details>", "", markdown, flags=re.DOTALL)
    text = re.sub(r"!\[.*?\]\(.*?\)", "", text, flags=re.DOTALL)
    text = re.sub(r"(?<=\])\([^)\s]*\)", "", text)
    text = re.sub(r"\$\$.*?\$\$", " formula ", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$]+\$", "formula", text)
    return text if code else re.sub(r"`[^`]*`", "", text)


def n_words(markdown: str) -> int:
    """Words of a text; rules of tables and list marks are none."""
    return sum(bool(re.search(r"\w", word)) for word in prose(markdown).split())


def n_lines(code: str) -> int:
    """Lines of code that are not blank."""
    return sum(bool(line.strip()) for line in code.split("\n"))


def read_by_all(lesson: Lesson) -> list[Cell]:
    """Its Markdown but for the solutions."""
    return [cell for cell in lesson.of("markdown") if "solution" not in cell.tags]


# Sizes and minutes ----------------------------------------------------------------------------------------


class Size(NamedTuple):
    cells: int
    words: int
    lines: int
    films: int
    exercises: int


def size(lesson: Lesson) -> Size:
    return Size(
        cells=len(lesson.cells),
        words=sum(n_words(cell.source) for cell in read_by_all(lesson)),
        lines=sum(n_lines(cell.source) for cell in lesson.of("code")),
        films=sum(len(moving(cell)) for cell in lesson.of("code")),
        exercises=sum("exercise" in cell.tags for cell in lesson.cells),
    )


def reading(lesson: Lesson) -> float:
    """Minutes by the rule, without the exercises."""
    counted = size(lesson)
    words, lines = counted.words / WORDS_A_MINUTE[lesson.short], counted.lines / LINES_A_MINUTE[lesson.short]
    return words + lines + FILM_MINUTES * counted.films + lesson.extra


def together(lesson: Lesson) -> float:
    """Minutes by the rule, with the exercises."""
    return reading(lesson) + EXERCISE_MINUTES * size(lesson).exercises


def printed_minutes(lesson: Lesson) -> int | None:
    """The minutes that the head prints."""
    found = re.findall(r"\*\*Time\*\*: about (\d+) minutes", head(lesson))
    return int(found[0]) if len(found) == 1 else None


def head(lesson: Lesson) -> str:
    """The text above the first section."""
    return sections(lesson)[0].text


class Section(NamedTuple):
    title: str
    cells: int
    text: str


def sections(lesson: Lesson) -> list[Section]:
    """The head and the sections; a text that goes on into the next section counts as a cell of both."""
    found = [Section("head", 0, "")]
    for cell in lesson.cells:
        if cell.kind == "code" or "solution" in cell.tags:
            found[-1] = found[-1]._replace(cells=found[-1].cells + 1)
            continue
        for part in re.split(r"(?m)^(?=## )", cell.source):
            if title := re.match(r"## (.*)", part):
                found.append(Section(title.group(1), 0, ""))
            if part.strip():
                text = f"{found[-1].text}\n\n{part}"
                found[-1] = found[-1]._replace(cells=found[-1].cells + 1, text=text)
    return found


def boxes(lesson: Lesson) -> list[str]:
    """The boxes: quotations that begin in bold."""
    found = []
    for cell in read_by_all(lesson):
        quoted = re.findall(r"(?m)(?:^>.*(?:\n|\Z))+", cell.source)
        found += [box for box in quoted if re.match(r"> *\*\*", box)]
    return found


def size_complaints(lesson: Lesson) -> list[str]:
    counted = size(lesson)
    limits = {"cells": MOST_CELLS, "words": MOST_WORDS[lesson.short], "lines": MOST_LINES[lesson.short]}
    return [
        f"{getattr(counted, what):,} {what}; at most {most:,}"
        for what, most in limits.items()
        if getattr(counted, what) > most
    ]


def section_complaints(lesson: Lesson) -> list[str]:
    found = []
    for section in sections(lesson):
        if section.cells > MOST_SECTION_CELLS:
            found.append(f"{section.title}: {section.cells} cells; at most {MOST_SECTION_CELLS}")
        if (words := n_words(section.text)) > MOST_SECTION_WORDS:
            found.append(f"{section.title}: {words} words; at most {MOST_SECTION_WORDS}")
    return found


def box_complaints(lesson: Lesson) -> list[str]:
    found = boxes(lesson)
    complaints = [f"{len(found)} boxes; at most {MOST_BOXES}"] if len(found) > MOST_BOXES else []
    for box in found:
        if (words := n_words(box)) > MOST_BOX_WORDS:
            complaints.append(f"the box {box[:40]}: {words} words; at most {MOST_BOX_WORDS}")
    return complaints


def time_complaints(lesson: Lesson) -> list[str]:
    read, whole, printed = reading(lesson), together(lesson), printed_minutes(lesson)
    complaints = []
    if read > MOST_READING:
        complaints.append(f"{read:.1f} minutes of reading; at most {MOST_READING}")
    if whole > MOST_MINUTES:
        complaints.append(f"{whole:.1f} minutes with the exercises; at most {MOST_MINUTES}")
    if printed is None:
        complaints.append("the head must say once: **Time**: about NN minutes")
    elif printed % 5 or not math.ceil(whole / 5) * 5 <= printed <= MOST_MINUTES:
        complaints.append(f"the head says {printed} minutes; the rule gives {whole:.1f}, rounded up to five")
    return complaints


# Exercises ------------------------------------------------------------------------------------------------


def exercise_complaints(lesson: Lesson) -> list[str]:
    number = size(lesson).exercises
    complaints = [] if number in (3, 4) else [f"{number} exercises; 3 or 4 are wanted"]
    for _, solution in exercises(lesson):
        code = solution_code(solution)
        if n_lines(code) > MOST_SOLUTION_LINES:
            first = code.split("\n")[0]
            complaints.append(f"a solution of {n_lines(code)} lines, {first}; at most {MOST_SOLUTION_LINES}")
    return complaints


def exercises(lesson: Lesson) -> Iterator[tuple[int, Cell]]:
    """The places of the stubs, each with its solution."""
    for place, cell in enumerate(lesson.cells):
        if "exercise" in cell.tags:
            yield place, next(later for later in lesson.cells[place:] if "solution" in later.tags)


def solution_code(solution: Cell) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", solution.source, flags=re.DOTALL))


@cache
def normalised(code: str) -> dict[str, str]:
    """The lines of a code that say how something is done: what they are without names, and as they stand.

    Names of the reader's own become an underscore, so that other names do not make another line. What
    everybody writes alike stays: keywords, builtins, np, attributes and the names of arguments. Lines that
    only import or begin a definition are left out, and so are short ones.
    """
    standing = code.split("\n")
    parts: dict[int, list[str]] = {}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.string.strip()]
    for place, token in enumerate(tokens):
        if token.type == tokenize.COMMENT:
            continue
        before = tokens[place - 1].string if place else ""
        after = tokens[place + 1].string if place + 1 < len(tokens) else ""
        argument = before in ("(", ",") and after == "="
        kept = before == "." or argument or token.string == "np" or token.string in dir(builtins)
        own = token.type == tokenize.NAME and not kept and not keyword.iskeyword(token.string)
        words = parts.setdefault(token.start[0], [])
        both_names = words and re.search(r"\w$", words[-1]) and re.match(r"\w", token.string)
        words.append((" " if both_names else "") + ("_" if own else token.string))
    lines = {number: "".join(words) for number, words in parts.items()}
    return {
        line: standing[number - 1].strip()
        for number, line in lines.items()
        if len(line) > LONG_LINE and not re.match(r"(def|class|import|from) ", line)
    }


def section_of_every_cell(lesson: Lesson) -> list[int]:
    """The number of the section in which a cell begins."""
    number, places = 0, []
    for cell in lesson.cells:
        titles = len(re.findall(r"(?m)^## ", cell.source)) if cell.kind == "markdown" else 0
        places.append(number + bool(titles and cell.source.startswith("## ")))
        number += titles
    return places


def answer_complaints(lesson: Lesson) -> list[str]:
    """Lines of a solution that can be read above the exercise, or until the end of the section after it.

    Lines that the exercise itself gives, such as those of a program to be corrected, are no answer.
    """
    complaints, section = [], section_of_every_cell(lesson)
    code = {place: normalised(cell.source) for place, cell in enumerate(lesson.cells) if cell.kind == "code"}
    for place, solution in exercises(lesson):
        given = {
            line for one in code if one <= place and section[one] == section[place] for line in code[one]
        }
        for line, standing in normalised(solution_code(solution)).items():
            for one, theirs in code.items():
                near = section[one] <= section[place] + 1 and not lesson.cells[one].hidden
                if near and line in theirs and line not in given:
                    where = "above" if one < place else "below"
                    complaints.append(
                        f"{standing!r} of a solution stands {where} it, in cell {one}: {theirs[line]!r}"
                    )
    return complaints


def bound(code: str) -> set[str]:
    """The names that a cell gives a meaning which other cells see."""
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(code)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)  # what is inside is seen by nobody else
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        waiting += ast.iter_child_nodes(node)
    return names


def name_complaints(lesson: Lesson) -> list[str]:
    """Names of exercises to which another cell gives another meaning."""
    complaints = []
    for place, _ in exercises(lesson):
        for name in sorted(bound(lesson.cells[place].source)):
            for other, cell in enumerate(lesson.cells):
                if other != place and cell.kind == "code" and name in bound(cell.source):
                    complaints.append(f"{name}, the name of an exercise, is used anew in cell {other}")
    return complaints


# Needs ----------------------------------------------------------------------------------------------------


class Term(NamedTuple):
    """A term of the glossary, the lessons that bring it, and the words and the names in code that betray it."""

    name: str
    lessons: tuple[str, ...]
    definition: str
    words: tuple[str, ...]
    names: tuple[str, ...]


def glossary(text: str) -> list[Term]:
    """The terms of a glossary.

    A term is a heading, its meaning, and a last line such as "Lesson 2. *Also*: eigenvalue, `eigh`." or
    "Lessons 4 and 8." or "No lesson." What stands in brackets in the heading only explains.
    """
    terms = []
    for entry in re.split(r"(?m)^## ", text)[1:]:
        name, *middle, last = [line for line in entry.strip().split("\n") if line.strip()]
        where, _, also = last.partition(" *Also*: ")
        if not re.fullmatch(r"Lesson \d+\.|Lessons \d+ and \d+\.|No lesson\.", where):
            raise ValueError(f"the last line of {name!r} must begin with the lesson that brings it: {last!r}")
        main = re.sub(r" *\(.*?\)", "", name)
        words = [word.strip() for word in re.sub(r"`[^`]*`", "", also.rstrip(".")).split(",")]
        terms.append(
            Term(
                name=name,
                lessons=tuple(f"{int(number):02d}" for number in re.findall(r"\d+", where)),
                definition=" ".join(middle),
                words=tuple(word for word in [main.replace("`", ""), *words] if word and "`" not in main),
                names=tuple(re.findall(r"`([^`]*)`", main + also)),
            )
        )
    return terms


def pattern(word: str) -> re.Pattern[str]:
    """Finds a word of prose, and its plural; capitals matter if a letter after the first is one.

    The first letter of several words may always be either: a term can begin a sentence.
    """
    spelt = r"[-\s]+".join(re.escape(part) for part in re.split(r"[-\s]", word))
    if re.search(r"[-\s]", word):
        spelt = f"[{word[0].upper()}{word[0].lower()}]{spelt[1:]}"
    flags = re.NOFLAG if re.search(r".[A-Z]", word) else re.IGNORECASE
    return re.compile(rf"(?<![\w-]){spelt}(?:e?s)?(?!\w)", flags)


def needs(lesson: Lesson) -> set[str]:
    """The lessons that the head names after **You need**, in the first sentence."""
    found = re.search(
        r"\*\*You need\*\*(.*?)(?:\.\s|\*\*Time)", re.sub(r"\]\([^)\s]*\)", "]", head(lesson)), re.DOTALL
    )
    text = re.sub(r"\([^)]*\)|[\[\]]", "", found.group(1)) if found else ""
    lists = re.findall(r"lessons?\s+(\d+(?:\s*(?:,|and)\s*\d+)*)", text)
    return {f"{int(number):02d}" for several in lists for number in re.findall(r"\d+", several)}


def closure(number: str, needed: dict[str, set[str]]) -> set[str]:
    """A lesson, what it needs, what that needs, and so on."""
    known, waiting = set(), [number]
    while waiting:
        if (one := waiting.pop()) not in known:
            known.add(one)
            waiting += needed.get(one, set())
    return known


def sentences(cell: Cell) -> Iterator[str]:
    """The sentences of a text, with the addresses of their links; lists of sources are left out."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$]+\$", " ", cell.source, flags=re.DOTALL)
    for paragraph in re.split(r"\n(?:\s*\n)+|\n(?=[-|#>*]|\d+\. )", text):
        if not re.match(r"\*Sources?\*", paragraph):
            yield from re.split(r"(?<=[.?!])[*)]*\s+", paragraph)


def leads_on(sentence: str, numbers: Iterable[str]) -> bool:
    """Whether a sentence names and links one of these lessons, and so says where a term is explained."""
    return any(
        re.search(rf"\[[^\]]*\b{int(number)}\b[^\]]*\]\({number}_", sentence) is not None
        for number in numbers
    )


@cache
def names_in(code: str) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


@cache
def words_in(code: str) -> str:
    """What a reader of a code reads as words: its strings and comments."""
    strings = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([string for string in strings if isinstance(string, str)] + comments)


def uses(cell: Cell, term: Term) -> list[str]:
    """The places of a cell where a term is used, but for sentences that lead on to its lesson."""
    if cell.kind == "code":
        text = words_in(cell.source)
        found = [match.group() for word in term.words if (match := pattern(word).search(text))]
        return found + sorted(set(term.names) & names_in(cell.source))
    found = []
    for sentence in sentences(cell):
        if leads_on(sentence, term.lessons):
            continue
        plain = re.sub(r"(?<=\])\([^)\s]*\)", "", sentence)
        spans = " ".join(re.findall(r"`([^`]*)`", plain))
        without = re.sub(r"`[^`]*`", "", plain)
        found += [match.group() for word in term.words if (match := pattern(word).search(without))]
        found += [name for name in term.names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", spans)]
    return found


def need_complaints(lesson: Lesson, terms: list[Term], needed: dict[str, set[str]]) -> list[str]:
    """Terms that a lesson uses though neither it nor any lesson that it needs brings them."""
    known = closure(lesson.number, needed)
    complaints = [
        f"it needs lesson {int(number)}, which is no earlier one of the short road"
        for number in sorted(needed[lesson.number])
        if number >= lesson.number or (lesson.short and number not in SHORT_ROAD)
    ]
    for term in terms:
        if known & set(term.lessons):
            continue
        for place, cell in enumerate(lesson.cells):
            if found := uses(cell, term):
                where = " and ".join(str(int(number)) for number in term.lessons) or "no lesson"
                complaints.append(f"cell {place} uses {found[0]!r} ({term.name}: {where})")
    return complaints


def internal_complaints(lesson: Lesson) -> list[str]:
    """Library internals, and ways of writing that learners stumbled over."""
    return [
        f"cell {place}: {what}"
        for place, cell in enumerate(lesson.cells)
        for what, sign in INTERNALS.items()
        if cell.kind == "code" and re.search(sign, cell.source)
    ]


# What may not be seen too early ---------------------------------------------------------------------------


def calls(code: str) -> list[tuple[str, ast.Call]]:
    """All calls of a code, with what is called as a text."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [(ast.unparse(node.func), node) for node in nodes]


def moving(cell: Cell) -> list[tuple[str, ast.Call]]:
    """The films of a cell, and the pictures that the kernel draws anew."""
    wanted = ("explore.film", "explore.frames", "explore.live")
    return [(name, call) for name, call in calls(cell.source) if name in wanted]


def drawing_complaints(lesson: Lesson) -> list[str]:
    """Cells that only draw, and texts of pictures, that are seen before they are run."""
    complaints = []
    for place, cell in enumerate(lesson.cells):
        if cell.kind == "markdown" or cell.hidden:
            continue
        called = {name for name, _ in calls(cell.source)}
        draws = any(re.match(r"(plt|plot)\.", name) for name in called - {"plot.style"})
        if draws and "print" not in called:
            complaints.append(f"cell {place} only draws, and is not collapsed: {cell.source[:40]!r}")
        elif any(word.arg == "alt" for _, call in calls(cell.source) for word in call.keywords):
            complaints.append(f"cell {place} shows the text of its picture: {cell.source[:40]!r}")
    return complaints


def forms(value: object) -> list[str]:
    """How a text may name a value of a slider."""
    if isinstance(value, int | float):
        written = [f"{value:g}", str(value), f"{value:,}"]
        exponent = math.log10(value) if value > 0 else 0.5
        return [*written, f"10^{{{exponent:.0f}}}"] if float(exponent).is_integer() else written
    return [str(value)]


def names(text: str, value: object) -> bool:
    """Whether a text names a value, and not only as a part of another number or word."""
    return any(re.search(rf"(?<![\w.−-]){re.escape(form)}(?!\w|\.\d)", text) for form in forms(value))


def film_complaints(lesson: Lesson) -> list[str]:
    """Films that do not say where they open, or whose text speaks of another frame."""
    complaints = []
    for place, cell in enumerate(lesson.cells):
        for name, call in moving(cell) if cell.kind == "code" else []:
            if name == "explore.live":
                continue  # its sliders are given with their first values
            opens = [word.value for word in call.keywords if word.arg == "opens"]
            if not opens:
                complaints.append(f"cell {place}: {name} must say what it opens at, opens=...")
                continue
            try:
                value = ast.literal_eval(opens[0])
            except ValueError:
                complaints.append(f"cell {place}: {name} must open at numbers that stand there")
                continue
            values = list(value.values()) if isinstance(value, dict) else [value]
            texts = texts_beside(lesson, place)
            complaints += [
                f"cell {place}: {name} opens at {one}, and no text beside it says so"
                for one in values
                if not any(names(text, one) for text in texts)
            ]
    return complaints


def texts_beside(lesson: Lesson, place: int) -> list[str]:
    """The nearest texts before and after a cell."""
    before = [cell.source for cell in lesson.cells[:place] if cell.kind == "markdown"]
    after = [cell.source for cell in lesson.cells[place:] if cell.kind == "markdown"]
    return before[-1:] + after[:1]


def assert_complaints(lesson: Lesson) -> list[str]:
    """Asserts where readers see them: facts are held by tests."""
    return [
        f"cell {place} asserts"
        for place, cell in enumerate(lesson.cells)
        if cell.kind == "code"
        and not cell.hidden
        and any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source)))
    ]
