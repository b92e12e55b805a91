"""Exercises: each proven unsolved, solved, and wrong in many ways."""

import html
import re
from pathlib import Path

import lessons
import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient
from scipy.stats import norm

from emlib import checks
from emlib.checks import Exercise, line

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WRITTEN = [thing for thing in vars(line).values() if isinstance(thing, Exercise)]


def exercises(notebook):
    """Triples of cells: the stub, its check, and the solution."""
    cells = notebook.cells
    stubs = [n for n, cell in enumerate(cells) if "exercise" in lessons.tags(cell)]
    return [
        (cells[n], cells[n + 1], next(cell for cell in cells[n:] if "solution" in lessons.tags(cell)))
        for n in stubs
    ]


def said(cell):
    (output,) = cell.outputs
    return output["data"]["text/plain"]


# In the lessons ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_unsolved_every_check_says_so_and_the_lesson_runs(path):
    found = exercises(nbformat.read(path, as_version=4))
    assert len(found) >= 3
    for stub, check, solution in found:
        assert "your turn" in stub.source
        assert check.source.startswith("checks.")
        assert said(check).endswith("not attempted yet")
        assert solution.cell_type == "markdown"
        assert solution.source.startswith("<details><summary>")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solved_every_check_says_correct_and_the_lesson_runs(path):
    notebook = nbformat.read(path, as_version=4)
    for stub, _, solution in exercises(notebook):
        (code,) = re.findall(r"```python\n(.*?)```", solution.source, flags=re.S)
        stub.source = code
    NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}}).execute()
    for _, check, _ in exercises(notebook):
        assert said(check).startswith("correct: ")


def test_the_handout_has_the_exercises_and_no_solution(tmp_path):
    for path in lessons.copy(tmp_path, without="solution"):
        notebook = nbformat.read(path, as_version=4)
        original = nbformat.read(ROOT / "notebooks" / path.name, as_version=4)
        assert not any("solution" in lessons.tags(cell) for cell in notebook.cells)
        stubs = [cell.source for cell in notebook.cells if "exercise" in lessons.tags(cell)]
        assert stubs == [stub.source for stub, *_ in exercises(original)]
        text = html.unescape(path.read_text())
        for *_, solution in exercises(original):
            assert max(solution.source.split("\n"), key=len) not in text
        assert not any(cell.get("outputs") for cell in notebook.cells)


# Every mistake on the lists gets its own diagnosis --------------------------------------------------------


def answer_with(exercise, number, answer):
    """A learner's function: right in all parts but one."""

    def function(*arguments):
        parts = [part.answer(*arguments) for part in exercise.parts]
        parts[number] = answer(*arguments)
        return parts[0] if len(parts) == 1 else tuple(parts)

    return function


LISTED = [
    pytest.param(exercise, number, mistake, id=f"{exercise.name}-{part.name}-{m}")
    for exercise in WRITTEN
    for number, part in enumerate(exercise.parts)
    for m, mistake in enumerate(part.mistakes)
]


@pytest.mark.parametrize(("exercise", "number", "mistake"), LISTED)
def test_every_listed_mistake_gets_its_diagnosis(exercise, number, mistake):
    verdict = exercise(answer_with(exercise, number, mistake.answer))
    assert not verdict.correct
    assert verdict.endswith(mistake.diagnosis)


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda exercise: exercise.name)
def test_every_part_knows_four_mistakes_that_differ(exercise):
    assert exercise(answer_with(exercise, 0, exercise.parts[0].answer)).correct
    for part in exercise.parts:
        assert len({mistake.diagnosis for mistake in part.mistakes}) >= 4


# ... and so do the programs that people write ---------------------------------------------------------------


def forgot_keepdims(x, w, m, v):
    joint = w * norm.pdf(x[:, None], m, np.sqrt(v))
    return joint / joint.sum(axis=1)


def no_column(x, w, m, v):
    return w * norm.pdf(x, m, np.sqrt(v))


def over_points(x, w, m, v):
    joint = w * norm.pdf(x[:, None], m, np.sqrt(v))
    return joint / joint.sum(axis=0, keepdims=True)


def variance_as_scale(x, w, m, v):
    joint = w * norm.pdf(x[:, None], m, v)
    return joint / joint.sum(axis=1, keepdims=True)


def no_weights(x, w, m, v):
    joint = norm.pdf(x[:, None], m, np.sqrt(v))
    return joint / joint.sum(axis=1, keepdims=True)


def component_major(x, w, m, v):
    joint = w[:, None] * norm.pdf(x, m[:, None], np.sqrt(v)[:, None])
    return joint / joint.sum(axis=0)


def hard(x, w, m, v):
    return np.eye(len(w))[(w * norm.pdf(x[:, None], m, np.sqrt(v))).argmax(axis=1)]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (forgot_keepdims, "it raised ValueError: operands could not be broadcast"),
        (no_column, "x[:, None] has shape (N, 1)"),
        (over_points, "sum along axis 1, with keepdims=True"),
        (variance_as_scale, "wants scale=np.sqrt(variance)"),
        (no_weights, "the weights are missing"),
        (component_major, "lying on its side"),
        (hard, "every point went to a single component"),
        (lambda x, w, m, v: None, "it returns nothing"),
        (lambda x, w, m, v: "resp", "must be arrays of numbers"),
        (lambda x, w, m, v: x, "it has shape (7,); it must have shape (7, 3)"),
        (lambda x, w, m, v: np.full((len(x), len(w)), np.nan), "nan or infinite"),
        (lambda x, w, m, v: np.full((len(x), len(w)), 1 / len(w)), "resp[0, 0] is 0.333333 and should be"),
        (lambda x, w, m, v: np.full((len(x), len(w)), 0.2), "row 0 (x = -3) sums to 0.6"),
        (lambda x, w, m, v: -np.ones((len(x), len(w))), "the smallest here is -1"),
        (lambda x: x, "it raised TypeError"),
        ("e_step_1d", "the check wants the function itself"),
        (np.ones((7, 3)), "this is an array of shape (7, 3)"),
        (None, "this is a NoneType"),
    ],
)
def test_programs_people_write_for_the_e_step(program, words):
    verdict = checks.e_step_1d(program)
    assert not verdict.correct
    assert words in verdict


def m_step(weights=None, means=None, variances=None):
    """A learner's M-step, right where nothing else is given."""

    def function(x, resp):
        counts = resp.sum(axis=0)
        m = resp.T @ x / counts if means is None else means(x, resp, counts)
        v = (resp * (x[:, None] - m) ** 2).sum(axis=0) / counts
        return (
            counts / len(x) if weights is None else weights(x, resp, counts),
            m,
            v if variances is None else variances(x, resp, counts, m),
        )

    return function


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (m_step(weights=lambda x, r, n: n), "these are the counts N_k"),
        (m_step(weights=lambda x, r, n: n / n.max()), "must sum to 1; these sum to"),
        (m_step(means=lambda x, r, n: r.T @ x), "means wrong: these are the sums"),
        (m_step(means=lambda x, r, n: r.T @ x / len(x)), "means wrong: divided by N"),
        (m_step(means=lambda x, r, n: r.T @ x / n + 1), "must average to 2.7"),
        (m_step(means=lambda x, r, n: 99 + 0 * n), "a mean of points lies between them, from -2 to 9"),
        (m_step(variances=lambda x, r, n, m: n * 0 - 1), "cannot be negative"),
        (m_step(variances=lambda x, r, n, m: n * 0 + 1), "must give the variance of all points"),
        (
            m_step(variances=lambda x, r, n, m: np.sqrt((r * (x[:, None] - m) ** 2).sum(axis=0) / n)),
            "weights and means right; variances wrong: these are standard deviations",
        ),
        (
            m_step(variances=lambda x, r, n, m: (r * (x[:, None] - x.mean()) ** 2).sum(axis=0) / n),
            "taken about the mean of all points",
        ),
        (lambda x, r: m_step()(x, r)[::-1], "in this order"),
        (
            lambda x, r: m_step()(x, r)[:2],
            "it returns a tuple of 2; it must return weights, means, variances",
        ),
        (lambda x, r: np.array(m_step()(x, r)), "it returns an array of shape"),
        (lambda x, r: np.divide(x, 0, out=x) or m_step()(x, r), "it raised ValueError"),
        (lambda x, r: (r.sort(axis=0), m_step()(x, r))[1], "it changes its arguments in place"),
    ],
)
def test_programs_people_write_for_the_m_step(program, words):
    verdict = checks.m_step_1d(program)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (None, "not attempted yet"),
        ([-2.75], "the surest of being red, so it turns last"),
        ([-2.75, -1.96, -1.93, -1.8, -1.59], "not all at once"),
        ([], "somebody does turn"),
        ([-1.59, -1.8], "-1.59 does turn; but not -1.8"),
        ([-1.96], "the point nearest to blue turns first"),
        ([45], "looks like the number of a point"),
        ([-5.78], "-5.78 is none of the five"),
        ([3.3], "there is no point at 3.3"),
        ([np.nan], "there is no point at nan"),
        ("the last one", "give the positions"),
        ({"x": 1}, "give the positions"),
        (object(), "give the positions"),
    ],
)
def test_predictions_people_make(prediction, words):
    verdict = checks.next_to_change(prediction)
    assert not verdict.correct
    assert words in verdict


@pytest.mark.parametrize("prediction", [[-1.59], -1.59, (-1.59,), np.array([[-1.59]]), "-1.59", [-1.5914]])
def test_the_right_prediction_in_any_clothes(prediction):
    assert checks.next_to_change(prediction).correct


@pytest.mark.parametrize("wrap", [np.asarray, lambda a: a.tolist(), lambda a: np.asfortranarray(a)])
def test_right_answers_in_any_clothes(wrap):
    def e_step_1d(x, w, m, v):
        joint = np.log(w) + norm.logpdf(x[:, None], m, np.sqrt(v))
        return wrap(np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True)))

    assert checks.e_step_1d(e_step_1d).correct
    assert checks.m_step_1d(lambda x, r: [wrap(a) for a in m_step()(x, r)]).correct


@given(noise=st.floats(1e-6, 1e3), seed=st.integers(0, 2**16), part=st.integers(0, 2))
def test_no_wrong_answer_is_ever_called_correct_and_none_raises(noise, seed, part):
    rng = np.random.default_rng(seed)

    def off(x, r):
        answers = list(m_step()(x, r))
        answers[part] = answers[part] + noise * (0.1 + rng.uniform(size=len(answers[part])))
        return answers

    verdict = checks.m_step_1d(off)
    assert not verdict.correct
    assert re.search(r"\[\d\] is \S+ and should be \S+", verdict)


def test_a_verdict_shows_itself_without_quotation_marks():
    assert repr(checks.next_to_change(None)) == "next_to_change: not attempted yet"
