"""The exercises of lesson 9: two bugs in a published class, a log-likelihood to fix, and the bug hunt.

The hunt has two right programs for a mixture of two Gaussians on a line, in two people's handwriting, and eight bugs.
Each is one change in one place, of a kind found in published tutorials. Invariants tell them apart.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import numpy as np

from emlib import datasets
from emlib.checks import additive, equal, moments, monotone, probabilities, stationary, stopping
from emlib.families import Gaussian
from emlib.mixture import Mixture
from emlib.text import counted
from emlib.validate import Array
from exercises.judge import NOT_ATTEMPTED, Exercise, Mistake, Part, Verdict, judge, number
from exercises.lesson_01 import CASES, e_step_1d, joint_density, normal

# Two bugs that hide each other ------------------------------------------------------------------------

# The idea of C's class GM1D, in the course's names. It prints nothing, and starts from what it calls variances.
GM1D_SOURCE = """\
class GM1D:
    def __init__(self, means, variances):
        self.weights = np.full(len(means), 1 / len(means))
        self.means, self.variances = np.array(means), np.array(variances)

    def fit(self, x, iterations=10):
        for _ in range(iterations):
            joint = self.weights * norm.pdf(x[:, None], loc=self.means, scale=self.variances)
            resp = joint / joint.sum(axis=1, keepdims=True)
            counts = resp.sum(axis=0)
            self.weights = counts / len(x)
            self.means = (resp * x[:, None]).sum(axis=0) / counts
            variances = (resp * (x[:, None] - self.means) ** 2).sum(axis=0) / counts
        return self
"""


def _numbered(source: str) -> str:
    """A source with a number before each line; blank lines go."""
    lines = [line for line in source.splitlines() if line]
    return "\n".join(f"{n:2}  {line}" for n, line in enumerate(lines, 1))


GM1D_LISTING = _numbered(GM1D_SOURCE)

BUGGY = {
    7: "line 7 gives a variance to `scale`, which is a standard deviation",
    12: "line 12 works out the new variances and keeps them under a name of its own: they are never stored in "
    "self.variances",
}
SOUND = {
    1: "line 1 only names the class",
    2: "line 2 only names what is given",
    3: "line 3 is right: equal weights are a fair start, and they sum to 1",
    4: "line 4 is right: it stores the start. That it holds variances is meant so; look at who uses them, and how",
    5: "line 5 only names what is given; ten iterations may be few, but that is no bug",
    6: "line 6 is right: ten iterations, one after the other",
    8: "line 8 is right: each row is divided by its own sum, so the shares of a point sum to 1",
    9: "line 9 is right: N_k is the sum of a component's shares",
    10: "line 10 is right: a weight is a component's share of all the points, N_k / N",
    11: "line 11 is right: each point counts by its shares, and each sum is divided by N_k",
    13: "line 13 is right: it hands back the object. If you miss something before it, give the line whose work is lost",
}


def two_bugs(my_lines: Any) -> Verdict:
    """Judge the prediction of lesson 9: the two lines of `GM1D_LISTING` that have a bug.

    Parameters
    ----------
    my_lines : sequence of int, or None
        Their numbers, in any order; None if there is no answer yet.

    Returns
    -------
    Verdict
        Never raises, whatever the answer. Who finds one of them is told that there is a second.
    """
    return judge(
        "two_bugs", my_lines, _line_numbers, "give the numbers of two lines, for example [1, 2]", _two
    )


def _line_numbers(given: Any) -> set[int]:
    if isinstance(given, str):
        given = [int(word) for word in re.split(r"[\s,;]+|\band\b", given) if word]
    several = list(islice(given, 30)) if np.ndim(given) or isinstance(given, (set, frozenset)) else [given]
    found = [number(one) for one in several]
    if not all(one.is_integer() for one in found):
        raise TypeError("a line has a whole number")
    return {int(one) for one in found}


def _two(given: set[int]) -> str:
    if strangers := given - BUGGY.keys() - SOUND.keys():
        return f"there is no line {min(strangers)}; they have the numbers 1 to {len(BUGGY) + len(SOUND)}"
    if not given:
        return "there are two. Follow the variances from line to line: where are they used, and where do they change?"
    if wrong := sorted(given - BUGGY.keys()):
        found = len(given & BUGGY.keys())
        more = f". Of the lines you gave, {counted(found, 'line')} {'has' if found == 1 else 'have'} a bug"
        return SOUND[wrong[0]] + more * bool(found)
    if len(given) == 1:
        return (
            f"{BUGGY[min(given)]}. That is one of the two. There is a second, and as long as both are there, the means "
            "come out nearly right"
        )
    return (
        f"correct: {BUGGY[7]}, and {BUGGY[12]}. So the spreads stay as they were, and the first bug does no harm: the "
        "second hides it."
    )


# A logarithm of everything ----------------------------------------------------------------------------


def total(x: Array, *parameters: Array) -> float:
    """Log-likelihood of all points together."""
    return float(np.log(joint_density(x, *parameters).sum(axis=1)).sum())


total_log_likelihood = Exercise(
    name="total_log_likelihood",
    arguments=("x", "weights", "means", "variances"),
    shapes=("(N,)", "(K,)", "(K,)", "(K,)"),
    cases=CASES,
    edges=e_step_1d.edges,
    whole=e_step_1d.whole,
    praise="for every point the logarithm of a sum over components, and then the sum over points.",
    parts=[
        Part(
            "log_likelihood",
            "one number: the total over all points",
            lambda *case: np.array(total(*case)),
            mistakes=[
                Mistake(
                    lambda *case: np.log(joint_density(*case).sum()),
                    "this is the broken program still: one logarithm of one sum. Points are independent, so their "
                    "densities multiply and their logarithms add: a logarithm for each point",
                ),
                Mistake(
                    lambda *case: np.log(joint_density(*case)).sum(),
                    "the logarithm of every entry: now nothing is added up inside it. A point's density is the sum "
                    "over its components",
                ),
                Mistake(
                    lambda *case: np.log(joint_density(*case).sum(axis=0)).sum(),
                    "the sum inside runs over the points, along axis 0; it must run over the components, along axis 1",
                ),
                Mistake(
                    lambda *case: total(*case) / len(case[0]),
                    "this is the mean over the points; the total is asked for",
                ),
                Mistake(
                    lambda *case: np.exp(total(*case)),
                    "this is the likelihood itself, a product; its logarithm is asked for",
                ),
                Mistake(
                    lambda *case: np.log(joint_density(*case).max(axis=1)).sum(),
                    "only the likeliest component of each point counts here; all of them do: sum, and not maximum",
                ),
                Mistake(
                    lambda x, w, m, v: np.log(normal(x[:, None], m, v).sum(axis=1)).sum(),
                    "the weights are missing: a mixture's density is the sum of weight times density",
                ),
                Mistake(
                    lambda x, w, m, v: total(x, w, m, v**2),
                    "the variance was used as a standard deviation: norm.pdf wants scale=np.sqrt(variance)",
                ),
            ],
        )
    ],
)

# The hunt: two right programs, and eight bugs ---------------------------------------------------------

RIGHT = {
    "first": '''
def joint(x, psi, mean, variance):
    """Weight times density, (N, 2)."""
    return np.array([psi, 1 - psi]) * norm.pdf(x[:, None], mean, np.sqrt(variance))

def e_step(x, psi, mean, variance):
    table = joint(x, psi, mean, variance)
    return table / table.sum(axis=1, keepdims=True)

def m_step(x, resp, psi, mean, variance):
    count = resp.sum(axis=0)
    mean = resp.T @ x / count
    variance = (resp * (x[:, None] - mean) ** 2).sum(axis=0) / count
    return count[0] / len(x), mean, variance

def log_likelihood(x, psi, mean, variance):
    return np.log(joint(x, psi, mean, variance).sum(axis=1)).sum()

def predict(x, psi, mean, variance):
    return joint(x, psi, mean, variance).argmax(axis=1)

def converged(history, tol):
    return len(history) > 1 and 0 <= history[-1] - history[-2] < tol

def fit(x, psi, mean, variance, tol=1e-8, max_iter=500):
    history = [log_likelihood(x, psi, mean, variance)]
    while not converged(history, tol) and len(history) <= max_iter:
        resp = e_step(x, psi, mean, variance)
        psi, mean, variance = m_step(x, resp, psi, mean, variance)
        history.append(log_likelihood(x, psi, mean, variance))
    return psi, mean, variance, history
''',
    "second": """
def gauss(x, mu, s2):
    return np.exp(-((x - mu) ** 2) / (2 * s2)) / np.sqrt(2 * np.pi * s2)

def e_step(x, psi, mu, s2):
    a = psi * gauss(x, mu[0], s2[0])
    b = (1 - psi) * gauss(x, mu[1], s2[1])
    return np.stack([a / (a + b), b / (a + b)], axis=1)

def m_step(x, gamma, psi, mu, s2):
    new_mu, new_s2 = np.zeros(2), np.zeros(2)
    for k in range(2):
        n_k = gamma[:, k].sum()
        new_mu[k] = (gamma[:, k] * x).sum() / n_k
        new_s2[k] = (gamma[:, k] * (x - new_mu[k]) ** 2).sum() / n_k
    psi = gamma[:, 0].mean()
    return psi, new_mu, new_s2

def log_likelihood(x, psi, mu, s2):
    p = psi * gauss(x, mu[0], s2[0]) + (1 - psi) * gauss(x, mu[1], s2[1])
    return np.sum(np.log(p))

def predict(x, psi, mu, s2):
    return np.argmax(e_step(x, psi, mu, s2), axis=1)

def converged(history, tol):
    return len(history) > 1 and 0 <= history[-1] - history[-2] < tol

def fit(x, psi, mu, s2, tol=1e-8, max_iter=500):
    history = [log_likelihood(x, psi, mu, s2)]
    for _ in range(max_iter):
        psi, mu, s2 = m_step(x, e_step(x, psi, mu, s2), psi, mu, s2)
        history.append(log_likelihood(x, psi, mu, s2))
        if converged(history, tol):
            break
    return psi, mu, s2, history
""",
}

# psi, means, variances: where the programs start, and a place with unequal weights for what is asked of every point.
START = 0.5, np.array([60.0, 90.0]), np.array([100.0, 50.0])

PLACE = 0.25, *START[1:]


@dataclass(frozen=True)
class Bug:
    """One change in one place of a right program."""

    name: str
    program: str  # which of the two it is in
    right: str
    wrong: str

    @property
    def source(self) -> str:
        return RIGHT[self.program].replace(self.right, self.wrong)


BUGS = {
    "A": Bug(
        "wrong axis",
        "first",
        "table / table.sum(axis=1, keepdims=True)",
        "table / table.sum(axis=0)",
    ),
    "B": Bug(
        "log of the sum over all points",
        "second",
        "np.sum(np.log(p))",
        "np.log(np.sum(p))",
    ),
    "C": Bug(
        "weights forgotten in predict",
        "first",
        "return joint(x, psi, mean, variance).argmax(axis=1)",
        "return norm.pdf(x[:, None], mean, np.sqrt(variance)).argmax(axis=1)",
    ),
    "D": Bug(
        "update never stored",
        "second",
        "return psi, new_mu, new_s2",
        "return psi, new_mu, s2",
    ),
    "E": Bug(
        "psi and 1 - psi swapped",
        "second",
        "psi = gamma[:, 0].mean()",
        "psi = gamma[:, 1].mean()",
    ),
    "F": Bug(
        "variance for standard deviation",
        "first",
        "norm.pdf(x[:, None], mean, np.sqrt(variance))",
        "norm.pdf(x[:, None], mean, variance)",
    ),
    "G": Bug(
        "a fall taken for the end",
        "first",
        "0 <= history[-1] - history[-2] < tol",
        "abs(history[-1] - history[-2]) < tol",
    ),
    "H": Bug(
        "variance about the old mean",
        "second",
        "(x - new_mu[k]) ** 2",
        "(x - mu[k]) ** 2",
    ),
}

bug_names = tuple(sorted(bug.name for bug in BUGS.values()))  # what a verdict may say


class Program:
    """A program of the hunt: its source, and its functions as attributes.

    Parameters
    ----------
    source : str
        It may use `np` and `norm`, SciPy's normal distribution.
    **others
        Functions to take the place of some of its own: a repaired one, for example.
    """

    def __init__(self, source: str, **others: Callable[..., Any]) -> None:
        from scipy.stats import norm  # slow to import, and needed only here

        self.source, scope = source.strip(), {"np": np, "norm": norm}
        exec(self.source, scope)
        scope.update(others)
        self._functions = scope

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_functions"][name]
        except KeyError:
            raise AttributeError(f"the program has no function {name}") from None

    def __repr__(self) -> str:
        return self.source

    def but(self, **others: Callable[..., Any]) -> Program:
        """The same program with some functions replaced."""
        return Program(self.source, **others)


def suspects() -> dict[str, Program]:
    """The eight wrong programs of lesson 9, by letter: a mixture of two Gaussians on a line, fitted by EM.

    Each has the functions `e_step(x, psi, means, variances)`, `m_step(x, resp, psi, means, variances)`,
    `log_likelihood`, `predict`, `fit` (with the arguments of the first) and `converged(history, tol)`. psi is the
    weight of the first component.
    """
    return {letter: Program(bug.source) for letter, bug in BUGS.items()}


def examine(program: Any) -> dict[str, str]:
    """Put a program's claims to seven invariants, on the waiting times of Old Faithful.

    Parameters
    ----------
    program
        Anything with the functions of a suspect; see `suspects`.

    Returns
    -------
    dict
        For every invariant "" if it holds, otherwise what breaks it.
    """
    X = datasets.old_faithful().X[:, 1:]
    x = X[:, 0]

    def mixture(end: Any) -> Mixture:
        psi, means, variances = end[:3]
        return Mixture([psi, 1 - psi], Gaussian.univariate(means, variances))

    class Fresh:
        """The program's functions, called with copies: one that writes into its arguments spoils no other claim."""

        def __getattr__(self, name: str) -> Callable[..., Any]:
            function = getattr(original, name)
            return lambda *given, **named: function(*deepcopy(given), **named)

    original, program = program, Fresh()

    def says(claim: Callable[[], str]) -> str:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                claim()
        except Exception as error:  # whatever a broken program does
            return str(error) or type(error).__name__
        return ""

    def at_end(claim: Callable[[Any], str]) -> Callable[[], str]:
        return lambda: claim(program.fit(x, *START))

    return {
        "probabilities": says(lambda: probabilities(program.e_step(x, *PLACE), "the responsibilities")),
        "monotone": says(at_end(lambda end: monotone(end[3]))),
        "moments": says(lambda: moments(mixture(program.fit(x, *START, max_iter=1)), X)),
        "stationary": says(at_end(lambda end: stationary(mixture(end), X))),
        "additive": says(lambda: additive(lambda part: program.log_likelihood(part, *PLACE), x)),
        "predict": says(
            lambda: equal(program.predict(x, *PLACE), np.argmax(program.e_step(x, *PLACE), axis=1))
        ),
        "stopping": says(lambda: stopping(program.converged)),
    }


@cache
def _broken() -> dict[str, frozenset[str]]:
    """The invariants that each suspect breaks."""
    return {
        letter: frozenset(name for name, message in examine(program).items() if message)
        for letter, program in suspects().items()
    }


def verdicts(given: Any) -> Verdict:
    """Judge the verdicts of lesson 9's bug hunt that need the table alone: those on A, C, G and H.

    Parameters
    ----------
    given : dict or None
        For each of these letters the name of its bug; see `bug_names`. None if there are no verdicts yet.

    Returns
    -------
    Verdict
        Never raises. For every wrong name it says which invariant tells the two bugs apart.
    """
    praise = "four bugs by their tracks in the table, and not a line of code was read."
    return _judged("verdicts", "ACGH", given, praise)


def verdicts_with_code(given: Any) -> Verdict:
    """Judge the verdicts of lesson 9's bug hunt that need the code too: those on B, D, E and F.

    As `verdicts` does.
    """
    praise = "four more, by their tracks and their code. No two of the eight left the same tracks."
    return _judged("verdicts_with_code", "BDEF", given, praise)


def _judged(hunt: str, asked: str, given: Any, praise: str) -> Verdict:
    """Judge the verdicts on some of the suspects."""
    if given is None or (isinstance(given, Mapping) and not given):
        return Verdict(f"{hunt}: {NOT_ATTEMPTED}")
    try:
        said = {str(letter).strip().upper(): _plain(name) for letter, name in dict(given).items()}
    except Exception:  # whatever a strange object does when it is asked for its entries
        return Verdict(
            f'{hunt}: give a dict of letters and names, for example {{"{asked[0]}": "{bug_names[0]}"}}'
        )
    letters = f"{', '.join(asked[:-1])} and {asked[-1]}"
    if strangers := sorted(said.keys() - BUGS.keys()):
        return Verdict(f"{hunt}: there is no suspect {strangers[0]}; here they are {letters}")
    if others := sorted(said.keys() - set(asked)):
        return Verdict(f"{hunt}: {others[0]} belongs to the other exercise; this one asks for {letters}")
    wrong = [letter for letter in asked if letter in said and said[letter] != _plain(BUGS[letter].name)]
    missing = [letter for letter in asked if letter not in said]
    if not wrong and not missing:
        return Verdict(f"correct: {praise}")
    lines = [f"{hunt}: {len(said) - len(wrong)} of {counted(len(asked), 'suspect')} named rightly"]
    lines += [f"{letter}: {_why_not(letter, said[letter])}" for letter in wrong]
    if missing:
        lines.append(f"no verdict yet on {', '.join(missing)}")
    return Verdict("\n".join(lines))


def _plain(name: Any) -> str:
    """A name as it is compared: case and spaces mean nothing."""
    if not isinstance(name, str):
        raise TypeError("a name is a string")
    return " ".join(name.lower().split())


def _why_not(letter: str, name: str) -> str:
    """Why this suspect cannot have the bug of that name."""
    culprit = next((other for other, bug in BUGS.items() if _plain(bug.name) == name), None)
    if culprit is None:
        return f"{name!r} is not on the list"
    own, claimed = _broken()[letter], _broken()[culprit]
    if more := sorted(claimed - own):
        return f"not {name!r}: that would break {more[0]}. {letter} keeps it, and breaks {_listed(own)}"
    return f"not {name!r}: that breaks {_listed(claimed)} only, and {letter} breaks {_listed(own)}"


def _listed(some: frozenset[str]) -> str:
    *rest, last = sorted(some)
    return f"{', '.join(rest)} and {last}" if rest else last
