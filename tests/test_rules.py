"""Each lesson keeps the rules of size, time, exercises, needs and order; and each rule can tell when it is broken."""

import re

import lessons
import pytest
import rules

TERMS = rules.glossary((lessons.LESSONS / "glossary.md").read_text(encoding="utf-8"))
LESSONS = {lesson.number: lesson for lesson in rules.all_lessons()}
NEEDED = {number: rules.needs(lesson) for number, lesson in LESSONS.items()}
NO_LESSON = ("90", lessons.START)  # the appendix and the start page: no sitting of their own, and no needs
FREE_OF_SIZE = (*NO_LESSON, "15")  # and half a lesson

RULES = {
    "size": rules.size_complaints,
    "sections": rules.section_complaints,
    "boxes": rules.box_complaints,
    "time": rules.time_complaints,
    "exercises": rules.exercise_complaints,
    "answers": rules.answer_complaints,
    "names": rules.name_complaints,
    "needs": lambda lesson: rules.need_complaints(lesson, TERMS, NEEDED),
    "internals": rules.internal_complaints,
    "drawings": rules.drawing_complaints,
    "films": rules.film_complaints,
    "asserts": rules.assert_complaints,
}
EXEMPT = {
    **dict.fromkeys(("size", "sections", "boxes", "exercises"), FREE_OF_SIZE),
    **dict.fromkeys(("time", "needs"), NO_LESSON),
}

# Terms of the glossary whose lesson does not use them yet, with that lesson. One that it uses must be taken off.
AWAITED = {
    ("Rate of convergence", "15"),
    ("SQUAREM (acceleration)", "15"),
}


@pytest.mark.parametrize(
    ("number", "rule"),
    [(number, rule) for number in LESSONS for rule in RULES if number not in EXEMPT.get(rule, ())],
)
def test_a_lesson_keeps_a_rule(number, rule):
    complaints = RULES[rule](LESSONS[number])
    assert not complaints, "\n".join(complaints)


# The tables that promise minutes and needs ------------------------------------------------------------------


def tables(path):
    """Every row of the tables of a page as a dictionary by the heads of its columns."""
    heads: list[str] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        parts = [part.strip() for part in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not parts:
            heads = []
        elif not heads:
            heads = [re.sub(r" \(.*\)", "", part) for part in parts]
        elif len(parts) == len(heads):
            yield dict(zip(heads, parts, strict=True))


def by_lesson(path):
    """The rows that stand for a lesson, by its number."""
    for row in tables(path):
        if "lesson" in row and (found := re.match(r"(\d+)\.|\[.*\]\((?:notebooks/)?(\d\d)_", row["lesson"])):
            yield f"{int(found.group(1) or found.group(2)):02d}", row


PAGES = [lessons.LESSONS / "source" / "START.md", lessons.ROOT / "README.md", lessons.LESSONS / "teaching.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_tables_promise_what_the_lessons_promise(path):
    rows = dict(by_lesson(path))
    assert set(LESSONS) - set(NO_LESSON) <= set(rows)
    for number in set(rows) - set(NO_LESSON):
        row = rows[number]
        minutes = row.get("minutes", row.get("together"))
        assert int(minutes) == rules.printed_minutes(LESSONS[number]), f"lesson {number}"
        if "needs" in row:
            assert {f"{int(need):02d}" for need in re.findall(r"\d+", row["needs"])} == NEEDED[number]


# The glossary -----------------------------------------------------------------------------------------------


def test_the_glossary_is_in_order_and_says_something_of_each_term():
    names = [term.name.lower().replace("`", "").replace("-", " ") for term in TERMS]
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    for term in TERMS:
        assert 40 < len(term.definition) < 300, term.name
        assert not re.search(r"[.?!] .*[.?!] .*[.?!] ", term.definition), (
            f"{term.name}: more than three sentences"
        )


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_lesson_uses_the_terms_that_it_brings(term):
    for number in term.lessons:
        lesson = LESSONS.get(number)
        used = lesson is not None and any(rules.uses(cell, term) for cell in lesson.cells)
        if (term.name, number) in AWAITED:
            assert not used, f"lesson {number} uses {term.name} by now: take it off AWAITED"
        else:
            assert used, f"lesson {number} does not use {term.name}"


# The rules themselves, on sources made for the purpose ------------------------------------------------------


def code(text, *options):
    """A code cell of a source; "hidden" collapses it, anything else is a tag."""
    yaml = "---\njupyter:\n  source_hidden: true\n---\n" if "hidden" in options else ""
    tags = [option for option in options if option != "hidden"]
    return (
        "```{code-cell} ipython3\n" + (f":tags: [{', '.join(tags)}]\n\n" if tags else yaml) + text + "\n```\n"
    )


def exercise(name="double", solution="def double(x):\n    return 2 * x"):
    """The source of an exercise."""
    return "\n".join(
        [
            code(f"def {name}(x):\n    raise NotImplementedError  # your turn", "exercise"),
            code(f"exercises.{name}({name})"),
            '+++ {"tags": ["solution"]}\n',
            f"<details><summary>A solution</summary>\n\n```python\n{solution}\n```\n\n</details>\n\n+++\n",
        ]
    )


def lesson(*parts, number="05", needs="lesson 1", minutes=5, front=""):
    """A lesson with a head, and with these parts of a source."""
    head = f"# 5. A lesson\n\n**You need** {needs}. **Time**: about {minutes} minutes.\n"
    kernel = "kernelspec:\n  display_name: Python 3\n  language: python\n  name: python3\n"
    return rules.from_text("\n".join([f"---\n{front}{kernel}---\n\n{head}", *parts]), number)


def test_words_are_those_that_a_reader_reads():
    assert rules.n_words("Let $x + y = 2$ be\n\n$$ a + b $$\n\n- so, [lesson 1](01_a.ipynb).") == 7
    assert rules.n_words("| a | b |\n|---|---|\n| 1 | – |") == 3
    assert rules.n_words("![A picture of it](a.png) two words <details> three more words </details>") == 2


def test_sizes_of_a_made_lesson():
    made = lesson(
        "## One\n", code("x = 1\n\ny = 2"), code("explore.film(a, X)\nexplore.live(draw)"), exercise()
    )
    assert rules.size(made) == (6, 12, 7, 2, 1)  # eleven words in the head, and "One"
    assert [(section.title, section.cells) for section in rules.sections(made)] == [("head", 1), ("One", 6)]


def test_minutes_of_a_made_lesson():
    text = "word " * 112
    made = lesson(text, code("x = 1\n" * 9), code("explore.film(a, X)\n" * 1), exercise())
    words, lines = rules.size(made)[1:3]
    assert rules.reading(made) == pytest.approx(words / 60 + lines / 9 + 3)
    assert rules.together(made) == pytest.approx(rules.reading(made) + 5)
    short = lesson(text, code("x = 1\n" * 9), number="02")
    assert rules.reading(short) == pytest.approx(rules.size(short).words / 80 + 9 / 12)
    assert rules.together(lesson(front="course:\n  extra: 25\n")) == pytest.approx(25, abs=1)


def test_the_extra_minutes_are_nothing_to_the_notebook(tmp_path):
    source = lessons.LESSONS / "source" / "09_the_bug_hunt.md"
    assert rules.from_file(source).extra == 25
    assert set(lessons.read(source).metadata) == {"kernelspec", "language_info"}


@pytest.mark.parametrize(
    ("rule", "made", "words"),
    [
        ("size", lesson(*["text\n\n+++\n"] * 76), "cells"),
        ("size", lesson("word " * 2000), "words"),
        ("size", lesson("word " * 2500, number="01"), "words"),
        ("size", lesson(code("x = 1\n" * 191)), "lines"),
        ("sections", lesson("## One\n", *[code("x = 1")] * 14), "One: 15 cells"),
        ("sections", lesson("## One\n" + "word " * 450), "One: 451 words"),
        ("boxes", lesson("> **A box.** " + "word " * 229 + "\n"), "231 words"),
        ("boxes", lesson("> **A box.**\n\n" * 4), "4 boxes"),
        ("time", lesson(minutes=80), "the head says 80"),
        ("time", lesson(minutes=12), "the head says 12"),
        ("time", lesson(code("x = 1\n" * 50), minutes=5), "the rule gives 5.7"),
        ("time", lesson(code("x = 1\n" * 550), minutes=75), "minutes of reading; at most 60"),
        ("time", lesson(exercise() * 15, minutes=75), "with the exercises; at most 75"),
        ("time", lesson("**Time**: about 5 minutes"), "the head must say once"),
        ("exercises", lesson(exercise() * 2), "2 exercises"),
        ("exercises", lesson(exercise() * 5), "5 exercises"),
        ("exercises", lesson(exercise(solution="x = 1\n" * 9) * 3), "a solution of 9 lines"),
        ("names", lesson(exercise(), code("double = 2")), "double"),
        ("names", lesson(code("for double in range(3):\n    pass"), exercise()), "double"),
        ("names", lesson(code("from a import b as double"), exercise()), "double"),
        ("internals", lesson(code("(watched,) = np.flatnonzero(x)")), "single"),
        ("internals", lesson(code("mark, = ax.plot(x)")), "single"),
        ("internals", lesson(code("from sklearn.mixture import GaussianMixture as Peer")), "Peer"),
        ("internals", lesson(code("print(outlook(history)[1])")), "outlook"),
        ("internals", lesson(code("model.doubt(x)")), ".doubt()"),
        ("internals", lesson(code("model.suspicion(x)")), ".suspicion()"),
        ("internals", lesson(code("Fraction(1, 3)")), "Fraction"),
        ("internals", lesson(code("gmm.precisions_cholesky_ = 1")), "precisions"),
        ("drawings", lesson(code("fig, ax = plt.subplots()")), "only draws"),
        ("drawings", lesson(code("plot.plane(ax, model, X)")), "only draws"),
        ("drawings", lesson(code("print(1)\nplot.show(fig, alt='two')")), "shows the text"),
        ("films", lesson(code("explore.film(trace, X)"), "At iteration 3."), "opens="),
        ("films", lesson(code("explore.film(trace, X, opens=3)"), "At iteration 13."), "opens at 3"),
        ("films", lesson("See 3.", "+++", "See 4.", code("explore.film(trace, X, opens=3)")), "opens at 3"),
        ("films", lesson("K = 3", code('explore.frames(f, opens={"K": 3, "step": 8}, K=k)')), "opens at 8"),
        ("films", lesson("See 3.", code("explore.film(trace, X, opens=three)")), "numbers"),
        ("asserts", lesson(code("assert x == 1")), "asserts"),
    ],
)
def test_a_rule_that_is_broken_says_so(rule, made, words):
    complaints = RULES[rule](made)
    assert words in " ".join(complaints), complaints


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        ("size", lesson("word " * 1989, code("x = 1\n" * 190))),
        ("sections", lesson("## One\n" + "word " * 449, *[code("x = 1")] * 13)),
        ("boxes", lesson("> **A box.** " + "word " * 228 + "\n\n> no box\n" * 4)),
        ("time", lesson(exercise(), minutes=10)),
        ("time", lesson(exercise(), minutes=75)),
        ("exercises", lesson(exercise(solution="x = 1\n" * 8) * 3)),
        ("names", lesson(exercise(), code("def f(double):\n    double = 2\nprint(double)"))),
        ("internals", lesson(code("a, b = (1,), 2\nf(x, y=1)"))),
        ("drawings", lesson(code("fig, ax = plt.subplots()\nplot.show(fig, alt='two')", "hidden"))),
        (
            "drawings",
            lesson(code("plot.style()\nimport numpy as np"), code("explore.film(trace, X, opens=3)")),
        ),
        ("films", lesson("See 3.", code("explore.film(trace, X, opens=3)"), code("explore.live(draw)"))),
        (
            "films",
            lesson(code('explore.frames(f, opens={"v": 1e-06, "s": "tied"})'), "Tied is `tied`, $10^{-6}$."),
        ),
        ("asserts", lesson(code("assert x == 1", "hidden"))),
    ],
)
def test_a_rule_that_is_kept_says_nothing(rule, made):
    assert RULES[rule](made) == []


# Answers to exercises

SOLVED = exercise(solution="def double(x):\n    # as said\n    return 2 * x.sum(axis=0, keepdims=True)")
ANSWER = code("theirs = 1\nfor x in X:\n    def f(y):\n        return 2 * y.sum(axis=0, keepdims=True)  # so")


@pytest.mark.parametrize(
    ("made", "where"),
    [
        (lesson(ANSWER, "## Exercise\n", SOLVED), "above"),
        (lesson("## Exercise\n", SOLVED, ANSWER), "below"),
        (lesson("## Exercise\n", SOLVED, "## Next\n", ANSWER), "below"),
    ],
)
def test_an_answer_on_the_page_is_found_under_other_names(made, where):
    (complaint,) = RULES["answers"](made)
    assert "'return 2 * x.sum(axis=0, keepdims=True)'" in complaint
    assert f"stands {where} it" in complaint


@pytest.mark.parametrize(
    "made",
    [
        lesson(
            "## Exercise\n",
            SOLVED,
            "## Next\n",
            ANSWER.replace("ipython3\n", "ipython3\n---\njupyter:\n  source_hidden: true\n---\n"),
        ),
        lesson("## Exercise\n", SOLVED, "## Next\n", "## And on\n", ANSWER),
        lesson("## Exercise: correct this\n", ANSWER, SOLVED),
        lesson(code("return_2 = 2 * x.mean(axis=0, keepdims=True)"), "## Exercise\n", SOLVED),
        lesson(code("return 2 * y"), "## Exercise\n", exercise()),
    ],
)
def test_a_line_that_gives_nothing_away_is_let_pass(made):
    assert RULES["answers"](made) == []


# Needs

CHAIN = {"01": set(), "02": {"01"}, "03": {"02"}, "05": {"01"}, "06": {"03"}}
SMALL = rules.glossary(
    "# Glossary\n\n## Saddle\n\nA pass.\n\nLesson 5.\n\n"
    "## Structure (of it)\n\nA shape.\n\nLesson 3. *Also*: `diag`, tied.\n\n"
    "## MAP estimate\n\nA top.\n\nLessons 2 and 5. *Also*: MAP.\n\n## `einsum`\n\nA sum.\n\nNo lesson.\n"
)


def test_a_glossary_is_read():
    assert [(term.name, term.lessons, term.words, term.names) for term in SMALL] == [
        ("Saddle", ("05",), ("Saddle",), ()),
        ("Structure (of it)", ("03",), ("Structure", "tied"), ("diag",)),
        ("MAP estimate", ("02", "05"), ("MAP estimate", "MAP"), ()),
        ("`einsum`", (), (), ("einsum",)),
    ]
    with pytest.raises(ValueError, match="last line of 'Saddle'"):
        rules.glossary("## Saddle\n\nA pass.\n")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[lesson 1](01_a.ipynb); logarithms", {"01"}),
        ("lessons 1, 2 and 3. [Lesson 8](08_a.ipynb) has more", {"01", "02", "03"}),
        (
            "lessons [4](04_a.ipynb) (two, 3 things), [8](08_b.ipynb) (a prior) and [10](10_c.ipynb)",
            {"04", "08", "10"},
        ),
        (
            "[lesson 5](05_a.ipynb), and 7 numbers from [lesson 2](02_b.ipynb); and lesson 3",
            {"02", "03", "05"},
        ),
        ("Python, means, and 3 more", set()),
    ],
)
def test_needs_are_read_from_the_head(text, named):
    assert rules.needs(lesson(needs=text)) == named


@pytest.mark.parametrize(
    ("number", "part", "words"),
    [
        ("03", "It is a saddle.", "'saddle' (Saddle: 5)"),
        ("03", "Two Saddles.", "'Saddles'"),
        ("06", code("x = 1  # a saddle"), "'saddle'"),
        ("06", code("print(f'{x} at the saddle')"), "'saddle'"),
        ("05", "In `np.diag(x)`, so.", "'diag'"),
        ("05", code("np.diag(x)"), "'diag'"),
        ("05", "They are *tied*.", "'tied'"),
        ("05", code("np.einsum('ij', x)"), "no lesson"),
        ("01", "The MAP.", "'MAP' (MAP estimate: 2 and 5)"),
        ("03", "It is a saddle, says lesson 5. See [lesson 5](05_a.ipynb).", "'saddle'"),
        ("03", "It is a saddle, see [lesson 6](06_a.ipynb).", "'saddle'"),
    ],
)
def test_a_term_before_its_lesson_is_found(number, part, words):
    complaints = rules.need_complaints(lesson(part, number=number), SMALL, CHAIN)
    assert words in " ".join(complaints), complaints


@pytest.mark.parametrize(
    ("number", "part"),
    [
        ("05", "It is a saddle."),
        ("06", "They are tied, by `diag`."),
        ("06", "The MAP, and a map."),
        ("01", "A map."),
        ("01", "It is called a saddle ([lesson 5](05_a.ipynb) has more)."),
        ("01", "They were entitled, un-tied and diagonal. $\\mathrm{saddle}$"),
        ("01", "*Source*: a paper on a saddle."),
        ("01", code("diagonal = tied = 1")),
    ],
)
def test_a_term_after_its_lesson_and_another_word_are_let_pass(number, part):
    assert rules.need_complaints(lesson(part, number=number), SMALL, CHAIN) == []


def test_a_lesson_needs_earlier_ones_only_and_the_short_road_itself():
    for number, needed in [("02", {"03"}), ("02", {"02"}), ("04", {"05"}), ("06", {"07"})]:
        (complaint,) = rules.need_complaints(lesson(number=number), [], {number: needed})
        assert f"it needs lesson {int(min(needed))}" in complaint


# The teachers' page -----------------------------------------------------------------------------------------


def test_prompts_stand_under_sections_that_are_there():
    text = (lessons.LESSONS / "teaching.md").read_text(encoding="utf-8")
    in_class = text[text.index("## In class") : text.index("## Handing out")]
    for part in re.split(r"\n(?=Lesson \d+|The appendix)", in_class)[1:]:
        number = match.group(1).zfill(2) if (match := re.match(r"Lesson (\d+)", part)) else "90"
        source = next(path for path in lessons.sources() if path.stem.startswith(f"{number}_"))
        heads = set(re.findall(r"^##+ (.*)$", source.read_text(encoding="utf-8"), flags=re.MULTILINE))
        for name in re.findall(r"^- \*(.+?)\*", part, flags=re.MULTILINE):
            assert name.rstrip(".") in heads or name in heads, f"lesson {number}: {name}"
