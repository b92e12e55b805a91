"""The playground's arithmetic and verdicts, in Node, against emlib's; its widget, as far as there is no browser."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emlib import Collapse, Gaussian, Mixture, checks, datasets, explore, fit, start
from emlib.em import em
from emlib.playground import Playground, joined
from emlib.stopping import outlook

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [ROOT / "emlib" / f"playground{name}.js" for name in ("_em", "_session", "_pictures", "")]
STRUCTURES = ["full", "tied", "diag", "spherical"]

needs_node = pytest.mark.skipif(
    not shutil.which("node"), reason="no Node on this machine: install it to run the playground's arithmetic"
)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """Run some JavaScript on what the modules export, `it`, and a value `given`; returns what it returns."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module"}')
    em, session, _, page = [json.dumps(Path(shutil.copy(source, folder)).as_uri()) for source in SOURCES]

    def run(body, given=None):
        # JSON knows neither nan nor the infinities: they come as strings.
        script = (
            f"import * as em from {em}; import * as session from {session}; import play from {page};\n"
            "const it = { ...em, ...session };\n"
            "let text = ''; for await (const some of process.stdin) text += some;\n"
            "const given = JSON.parse(text);\n"
            "const plain = (_, x) => typeof x === 'number' && !Number.isFinite(x) ? String(x) : x;\n"
            f"console.log(JSON.stringify((() => {{ {body} }})(), plain));"
        )
        command = ["node", "--input-type=module", "--eval", script]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return run


def written_out(covariances):
    """Covariances [xx, xy, yy] as matrices."""
    return np.array(covariances)[:, [0, 1, 1, 2]].reshape(-1, 2, 2)


# Arithmetic -------------------------------------------------------------------------------------------


@needs_node
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("share", [0, 1e-10, 0.02], ids=["no floor", "tiny floor", "floor that holds"])
def test_25_steps_are_emlibs(node, structure, share):
    X = datasets.skewed_blobs().X[::2]
    K, floor = 3, share * X.var(axis=0)
    first = start.from_data(X, K, np.random.default_rng(3), structure=structure, floor=floor)
    steps = node(
        """
        const { X, means, structure, share } = given;
        let mixture = it.start(X, means, structure, share);
        return Array.from({ length: 26 }, () => {
            const { resp, logLikelihood } = it.expect(X, mixture);
            const next = it.maximize(X, resp, mixture);
            const { weights, means, covariances } = mixture;
            const bounds = [it.bound(X, resp, mixture), it.bound(X, resp, next)];
            const found = { weights, means, covariances: covariances.map(({ S }) => S), bounds };
            mixture = next;
            return { ...found, logLikelihood, resp };
        });""",
        {"X": X.tolist(), "means": first.components.means.tolist(), "structure": structure, "share": share},
    )
    assert len(steps) == 26
    objectives = []
    for ours, theirs in zip(em(first, X), steps, strict=False):
        model, close = ours.model, {"rtol": 1e-10, "atol": 1e-10}
        np.testing.assert_allclose(theirs["logLikelihood"], ours.statistics.log_likelihood, rtol=1e-10)
        np.testing.assert_allclose(theirs["weights"], model.weights, **close)
        np.testing.assert_allclose(theirs["means"], model.components.means, **close)
        np.testing.assert_allclose(written_out(theirs["covariances"]), model.components.matrices, **close)
        np.testing.assert_allclose(theirs["resp"], model.responsibilities(X), **close)
        # After an E-step the bound touches the log-likelihood, after the M-step it lies between the two.
        own, between = theirs["bounds"]
        assert own == pytest.approx(ours.statistics.log_likelihood, rel=1e-12)
        objectives += [own, between]
    assert (np.diff(objectives) > -1e-9).all()


@needs_node
def test_the_bound_is_q_plus_h(node):
    rng = np.random.default_rng(0)
    X, resp = rng.normal(size=(20, 2)), rng.dirichlet([1, 1, 1], size=20)
    model = Mixture(
        [0.2, 0.3, 0.5], Gaussian(rng.normal(size=(3, 2)), [np.eye(2), 2 * np.eye(2), np.eye(2) / 2])
    )
    joint = np.log(model.weights) + model.components.log_density(X)
    expected = (resp * (joint - np.log(resp))).sum()
    found = node(
        "const session = new it.Session({ X: given.X, points: 'own' });"
        "session.adopt(given.mixture); return it.bound(given.X, given.resp, session.mixture);",
        {"X": X.tolist(), "resp": resp.tolist(), "mixture": spelt(model)},
    )
    assert found == pytest.approx(expected, rel=1e-12)


def spelt(model):
    """A mixture in the words of the page."""
    play = Playground()
    play.mixture = model
    return play._mixture


# Why it stopped -----------------------------------------------------------------------------------------


def some_data(number, rng):
    if number == 0:
        return datasets.old_faithful().X
    if number == 1:
        return rng.normal(size=(40, 2))
    if number == 2:
        return rng.normal(size=(12, 2)).round(1)
    if number == 3:  # a ring
        turn = rng.uniform(0, 2 * np.pi, size=100)
        return 4 * np.column_stack([np.cos(turn), np.sin(turn)]) + 0.3 * rng.normal(size=(100, 2))
    return 4 * rng.normal(size=(3, 2))[rng.integers(3, size=90)] + rng.normal(size=(90, 2))


FIT = """
    return given.map(({ X, means, structure, share }) => {
        const session = new it.Session({ X, points: "own", K: means.length, structure, means });
        session.mixture = it.start(X, means, structure, share);
        while (!session.stop) session.step();
        const seen = session.curve.filter(({ half }) => half === "E");
        return { stop: session.stop, objectives: seen.map(({ logLikelihood }) => logLikelihood) };
    });"""


@needs_node
def test_it_stops_where_emlib_stops_and_says_the_same(node):
    rng = np.random.default_rng(2)
    cases, traces = [], []
    for number in range(60):
        X, structure = some_data(number % 5, rng), STRUCTURES[number % 4]
        share = [0, 1e-10, 1e-3][number % 3]
        K = int(rng.integers(1, 7))
        first = start.from_data(X, K, rng, structure=structure, floor=share * X.var(axis=0))
        means = first.components.means.tolist()
        cases.append({"X": X.tolist(), "means": means, "structure": structure, "share": share})
        traces.append(fit(first, X, warn=False))
    assert {trace.stop.reason for trace in traces} >= {"converged", "collapsed", "stalled"}
    for trace, found in zip(traces, node(FIT, cases), strict=True):
        ours, theirs = trace.stop, found["stop"]
        assert (theirs["reason"], theirs["message"]) == (ours.reason, ours.message)
        if ours.reason == "stalled":  # that is decided by gains as small as rounding
            assert abs(theirs["nIter"] - ours.n_iter) <= 3
            continue
        assert theirs["nIter"] == ours.n_iter
        # What is nearly singular makes much of the last digits.
        rtol = 1e-10 if ours.reason == "converged" else 1e-6
        np.testing.assert_allclose(found["objectives"], trace.objectives, rtol=rtol)


@needs_node
def test_far_from_the_origin_it_calls_rounding_no_fall(node):
    """Narrow components far out: there a mean's own rounding moves the log-likelihood."""
    rng, cases, expected = np.random.default_rng(0), [], []
    for _ in range(40):
        X = 1e3 + 1e-6 * rng.uniform(-1, 1, size=(12, 2)).round(1)
        first = start.from_data(X, 4, rng, structure="tied", floor=1e-10 * X.var(axis=0))
        means = first.components.means.tolist()
        cases.append({"X": X.tolist(), "means": means, "structure": "tied", "share": 1e-10})
        expected.append(fit(first, X, warn=False).stop.reason)
    found = [one["stop"]["reason"] for one in node(FIT, cases)]
    assert "decreased" not in expected
    assert "decreased" not in found


@needs_node
@pytest.mark.parametrize("structure", STRUCTURES)
def test_it_tells_components_apart_as_emlib_does(node, structure):
    """From hardly different to very: where the one says that two cannot be told apart, so does the other."""
    rng, cases, expected = np.random.default_rng(4), [], []
    for _ in range(150):
        X, apart = rng.normal(size=(60, 2)), rng.uniform(0, 2)
        matrices = np.eye(2) * rng.uniform(0.3 + 0.3 * apart, 1.2 + apart, size=(3, 1, 1))
        if structure == "full":
            matrices[:, 0, 1] = matrices[:, 1, 0] = rng.uniform(-0.25, 0.25, size=3)
        covariances = {
            "full": matrices,
            "tied": matrices[0],
            "diag": matrices.diagonal(axis1=1, axis2=2),
            "spherical": matrices[:, 0, 0],
        }[structure]
        means = apart * rng.normal(size=(3, 2))
        model = Mixture([0.2, 0.3, 0.5], Gaussian(means, covariances, structure))
        found = model.suspicion(model.expect(X))
        expected.append(None if found is None else [found.reason, found.message])
        cases.append({"X": X.tolist(), "resp": model.responsibilities(X).tolist(), "mixture": spelt(model)})
    found = node(
        """
        return given.map(({ X, resp, mixture }) => {
            const session = new it.Session({ X, points: "own" });
            session.adopt(mixture);
            return it.suspicion(X, resp, session.mixture);
        });""",
        cases,
    )
    assert found == expected
    assert 20 < sum(one is None for one in expected) < 130


@needs_node
def test_out_of_steps(node):
    X = datasets.old_faithful().X
    for max_iter, n in ((1, 1), (5, 5), (0, 0)):
        first = start.from_data(X, 3, np.random.default_rng(1))
        expected = fit(first, X, max_iter=max_iter, warn=False).stop
        found = node(
            """
            const session = new it.Session({ ...given.choices, points: "own" });
            session.watch.maxIter = given.maxIter;
            while (!session.stop) session.step();
            return session.stop;""",
            {"choices": {"X": X.tolist(), "means": first.components.means.tolist()}, "maxIter": max_iter},
        )
        assert (found["reason"], found["nIter"], found["message"]) == ("max_iter", n, expected.message)


@needs_node
def test_the_outlook_is_emlibs(node):
    rng = np.random.default_rng(0)
    cases = [
        np.cumsum(rng.uniform(-0.1, 1, n) * rng.uniform(0.3, 1.05) ** np.arange(n)) for n in range(1, 40)
    ]
    cases = [(list(case), noise) for case in cases for noise in (0.0, 1e-3, 0.1)]
    found = node("return given.map(([all, noise]) => it.outlook(all, noise));", cases)
    for (objectives, noise), theirs in zip(cases, found, strict=True):
        rate, distance = float(theirs["rate"]), float(str(theirs["distance"]).replace("Infinity", "inf"))
        np.testing.assert_allclose([rate, distance], outlook(objectives, noise), rtol=1e-9)


@needs_node
def test_a_fall_is_called_decreased(node):
    stop = node(
        """
        const watch = new it.Watch();
        watch.look(0, -10, 1e-9, 5, () => null);
        return watch.look(1, -10.5, 1e-9, 5, () => null);"""
    )
    assert (stop["reason"], stop["nIter"]) == ("decreased", 1)
    assert stop["message"] == "the objective fell by 0.5 nats"


# Points, choices and links ------------------------------------------------------------------------------


@needs_node
@pytest.mark.parametrize(
    ("X", "K", "note"),
    [
        ([], 1, "There are 0 points, and K is 1: place more points, or choose a smaller K."),
        ([[1, 2]], 3, "There is 1 point, and K is 3: place more points, or choose a smaller K."),
        (
            [[1, 2]],
            1,
            "There is no start: component 0 has collapsed: 1 of the points do not span 2 dimensions, ",
        ),
        ([[1, 2]] * 9, 2, "There is 1 point at different places, and K is 2: place more points, "),
        ([[1, 2]] * 9, 1, "There is no start: component 0 has collapsed: 9 of the points"),
        (
            [[0, 0], [1, 1], [2, 2], [3, 3]],
            2,
            "There is no start: component 0 has collapsed: 4 of the points",
        ),
    ],
    ids=["no point", "K above one point", "one point", "K above equal points", "equal points", "on a line"],
)
def test_too_few_points_are_said_to_be_too_few(node, X, K, note):
    found = node(
        "const { note, mixture } = new it.Session({ ...given, points: 'own' }); return { note, mixture };",
        {"X": X, "K": K},
    )
    assert found["mixture"] is None
    assert found["note"].startswith(note)
    if "collapsed" in note:  # in emlib's words
        with pytest.raises(Collapse) as caught:
            start.from_data(np.array(X, dtype=float), K, np.random.default_rng(0))
        assert found["note"] == f"There is no start: {caught.value}."


@needs_node
def test_a_floor_makes_a_start_of_any_points(node):
    for X in ([[1, 2]], [[1, 2]] * 9, [[0, 0], [1, 0], [5, 0]]):
        found = node(
            """
            const session = new it.Session({ X: given, points: "own", K: 1, floor: "0.001" });
            while (!session.stop) session.step();
            return { stop: session.stop, mixture: session.mixture, curve: session.curve };""",
            X,
        )
        assert found["stop"]["reason"] == "converged"
        assert not re.search("NaN|Infinity", json.dumps([found["mixture"], found["curve"]]))


@needs_node
@pytest.mark.filterwarnings("ignore:column")  # that one is constant
def test_the_tiny_floor_is_the_usual_one(node):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(15, 2)) * [3, 0.1] + 40
    for points in (X, X * [1, 0] + [0, 0.3], X * [0, 1] + [1e5, 0], X * 0 + 0.3):
        found = node("return it.start(given, [given[0]], 'full', 1e-10).floor;", points.tolist())
        np.testing.assert_allclose(found, start.usual_floor(points), rtol=1e-10)


@needs_node
def test_whatever_the_points_the_numbers_are_finite_and_the_bound_rises(node):
    rng, cases = np.random.default_rng(1), []
    for number in range(300):
        X = rng.uniform(-1, 1, size=(rng.integers(1, 20), 2))
        X = [X, X.round(), X[:, :1] * [1, 2], X * [1, 0] + 0.3, (3 * X).round() / 3][number % 5]
        X = (X + [0, 1e3][number % 2]) * [1, 1e-6, 1e6][number % 3]
        choices = {"K": int(rng.integers(1, 7)), "structure": STRUCTURES[number % 4], "points": "own"}
        choices |= {"seed": number, "floor": ["0", "1e-10", "0.001"][int(rng.integers(3))], "X": X.tolist()}
        cases.append(choices)
    found = node(
        """
        return given.map((choices) => {
            const session = new it.Session(choices);
            for (let i = 0; session.mixture && !session.stop && i < 200; i++) session.step();
            const { curve, mixture, stop, note } = session;
            const covariances = mixture?.covariances.map(({ S }) => S);
            return { curve, mixture: mixture && { ...mixture, covariances }, stop, note };
        });""",
        cases,
    )
    assert not re.search(
        "NaN|Infinity", json.dumps([(one["curve"], one["mixture"], one["note"]) for one in found])
    )
    ends = [one["stop"]["reason"] if one["stop"] else None for one in found if one["mixture"]]
    assert {"converged", "collapsed", "stalled"} <= set(ends)
    assert "decreased" not in ends
    for one in found:
        bounds = np.array([half["bound"] for half in one["curve"]])
        likelihoods = np.array([half["logLikelihood"] for half in one["curve"]])
        slack = 1e-6 * (1 + abs(likelihoods))
        assert (bounds <= likelihoods + slack).all()
        assert (np.diff(bounds) >= -slack[1:]).all()


@needs_node
def test_a_collapse_ends_the_session_and_keeps_the_mixture(node):
    X = [[0, 0], [1, 0.2], [0.3, 1], [0.5, 0.6], [2, 2], [2.4, 3], [3, 2.5], [2.6, 2.1], [5, 5]]
    body = """
        const session = new it.Session({ X: given[0], points: "own", K: 3, seed: 0, floor: given[1] });
        while (!session.stop) session.step();
        return { stop: session.stop, stuck: session.stuck, mixture: session.mixture };"""
    found = node(body, [X, "0"])
    assert found["stuck"]
    assert found["stop"]["reason"] == "collapsed"
    assert found["stop"]["message"].startswith("component 0 has collapsed: 2 of the points do not span")
    assert np.isfinite(found["mixture"]["means"]).all()
    found = node(body, [X, "0.001"])
    assert not found["stuck"]
    assert found["stop"]["reason"] == "collapsed"
    assert found["stop"]["message"].startswith("only the floor or ridge keeps component 0 from collapsing")


@needs_node
def test_what_a_change_does_to_the_fit(node):
    found = node(
        """
        const seen = {};
        const session = new it.Session();
        const note = (name) => {
            const { K, steps, curve, resp, means, points, X, seed } = session;
            const weights = session.mixture?.weights ?? null;
            seen[name] = { K, steps, n: curve.length, judged: resp !== null, means, points, seed, N: X.length,
                weights };
        };
        for (let i = 0; i < 5; i++) session.step();
        note("five");
        session.setPoints([...session.X, [0, 0]]);
        note("point");
        session.step();
        session.undo();
        note("undone");
        session.step();
        session.choose({ means: [[0, 0], [1, 1], [2, 2]] });
        note("moved");
        session.choose({ structure: "diag", means: session.means });
        note("structure");
        session.choose({ K: 2 });
        note("K");
        session.setPoints(session.X.slice(0, 1));
        note("one");
        session.undo();
        note("back");
        return seen;"""
    )
    assert found["five"] == found["five"] | {
        "steps": 5,
        "n": 10,
        "judged": True,
        "points": "clusters",
        "N": 150,
    }
    # A point more: the mixture stays, and the judgement starts again.
    assert found["point"] == found["point"] | {"steps": 0, "n": 0, "judged": False, "points": "own", "N": 151}
    assert found["point"]["weights"] == found["five"]["weights"]
    assert found["undone"] == found["undone"] | {"points": "clusters", "N": 150, "judged": False}
    # A mean moved by hand: a new start from there.
    assert found["moved"] == found["moved"] | {"means": [[0, 0], [1, 1], [2, 2]], "steps": 0, "judged": False}
    assert found["moved"]["weights"] == [1 / 3] * 3
    assert found["structure"]["means"] == [[0, 0], [1, 1], [2, 2]]
    assert found["K"] == found["K"] | {"K": 2, "means": None}
    assert found["one"]["weights"] is None
    assert found["back"]["weights"] == [0.5, 0.5]


@needs_node
def test_a_seed_makes_one_start(node):
    body = "return given.map((seed) => new it.Session({ seed }).mixture.means);"
    one, other, again = node(body, [1, 2, 1])
    assert one == again != other


@needs_node
def test_the_presets(node):
    names = ["clusters", "stretched", "faithful", "moons", "ring"]
    found = node("return given.map((points) => new it.Session({ points }).X);", names)
    assert [len(X) for X in found] == [150, 300, 272, 200, 200]
    assert np.array_equal(found[2], datasets.old_faithful().X)
    lesson = datasets.skewed_blobs()
    theirs = np.array(found[1])
    for k in range(3):  # the same clusters, drawn anew
        ours = lesson.X[lesson.labels == [0, 1, 2][k]]
        assert np.linalg.norm(theirs[k::3].mean(axis=0) - ours.mean(axis=0)) < 1
        np.testing.assert_allclose(np.cov(theirs[k::3].T), np.cov(ours.T), atol=4)


@needs_node
def test_old_faithful_keeps_its_units(node):
    found = node(
        """
        const session = new it.Session({ points: "faithful" });
        const seen = [session.axes];
        const note = (change) => { change(); seen.push(session.axes); };
        note(() => session.setPoints([...session.X, [2, 50]]));
        note(() => session.choose({ points: "own" }));
        note(() => session.choose({ points: "faithful" }));
        note(() => session.choose({ points: "ring" }));
        note(() => session.undo());
        return seen.map(([x]) => x);"""
    )
    assert found == [*["eruption (min)"] * 2, "x", "eruption (min)", "x", "eruption (min)"]


@needs_node
def test_k_means_is_lloyds(node):
    from sklearn.cluster import KMeans

    X = datasets.four_blobs(stretched=True).X
    found = node(
        """
        const session = new it.Session({ X: given, points: "own", K: 4, seed: 5 });
        const from = session.centres;
        for (let i = 0; i < 200 && !session.stuck; i++) session.step();
        return { from, centres: session.centres };""",
        X.tolist(),
    )
    expected = KMeans(4, init=np.array(found["from"]), n_init=1, tol=0).fit(X).cluster_centers_
    np.testing.assert_allclose(found["centres"], expected, rtol=1e-9)


@needs_node
def test_a_link_brings_the_same_start(node):
    found = node(
        """
        const first = new it.Session(given);
        const link = it.linkOf(first);
        const second = new it.Session(it.choicesOf(link));
        const parts = ({ X, K, structure, floor, seed, mixture, points }) => (
            { X, K, structure, floor, seed, mixture, points });
        return { link, first: parts(first), second: parts(second) };""",
        {"K": 2, "structure": "tied", "floor": "1e-10", "seed": 7, "means": [[0.5, -1], [2, 3]]},
    )
    assert found["link"] == ("#play&points=clusters&K=2&structure=tied&floor=1e-10&seed=7&means=0.5,-1;2,3")
    assert found["first"] == found["second"]
    own = node(
        """
        const first = new it.Session({ X: given, points: "own", K: 1 });
        return it.choicesOf(it.linkOf(first)).X;""",
        [[0.25, -1.5], [1e-7, 3], [2, 2]],
    )
    assert own == [[0.25, -1.5], [1e-7, 3], [2, 2]]
    assert node("return it.choicesOf('#play&points=').X;") == []


@needs_node
@pytest.mark.parametrize(
    ("link", "message"),
    [
        ("K=9", 'K is "9"; it must be one of 1, 2, 3, 4, 5, 6'),
        ("K=", 'K is ""; it must be'),
        ("K=constructor", 'K is "constructor"; it must be'),
        ("structure=round", 'structure is "round"; it must be one of full, tied, diag, spherical'),
        ("floor=given", 'floor is "given"; it must be one of 0, 1e-10, 0.001'),
        ("seed=-1", 'seed is "-1"; it must be a whole number up to 999999'),
        ("seed=1.5", 'seed is "1.5"; it must be'),
        ("points=cats", 'points is "cats"; it must be pairs x,y with ; between them'),
        ("points=toString", 'points is "toString"; it must be pairs'),
        ("points=1,2;3", 'points is "1,2;3"; it must be'),
        ("points=1,2;3,", 'points is "1,2;3,"; it must be'),
        ("points=1,2;3,NaN", "it must be"),
        ("points=1,2;3,1e300", "it must be"),
        ("means=1,2;3,4", 'means is "1,2;3,4"; it must be 3 pairs x,y'),
        ("X=1&restart=2", None),  # what a link should not know is not heard
    ],
)
def test_a_link_made_by_hand(node, link, message):
    found = node(
        """
        try {
            const session = new it.Session(it.choicesOf(given));
            session.restart();
            return { N: session.X.length };
        } catch (error) {
            return { message: error.message };
        }""",
        f"#play&{link}",
    )
    if message is None:
        assert found == {"N": 150}
    else:
        assert message in found["message"]


# The source ---------------------------------------------------------------------------------------------


def test_the_sources_are_plain_and_short():
    for source in SOURCES:
        lines = source.read_text().splitlines()
        assert len(lines) <= 450, source
        assert max(map(len, lines)) <= 100
        assert not re.search(r"https?:|fetch\(", source.read_text())
        imports = re.findall(r"^import\b.*", source.read_text(), flags=re.M)
        assert all(re.search(r'\} from "\./playground_\w+\.js";$', one) for one in imports)
    assert "import" not in SOURCES[0].read_text()


@needs_node
def test_the_page_is_a_module_too(node):
    assert node("return Object.keys(play);") == ["render"]


@needs_node
def test_the_modules_are_joined_into_one(node, tmp_path):
    """It imports nothing, exports one thing, and names nothing twice."""
    assert re.findall(r"^(?:import|export)\b.*", joined(), flags=re.M) == ["export default { render };"]
    assert Playground()._esm == joined()
    (tmp_path / "joined.mjs").write_text(joined())
    done = subprocess.run(["node", "--check", tmp_path / "joined.mjs"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_components_have_the_courses_colours():
    from emlib.plot.appearance import COLOURS

    (named,) = re.findall(r"const COLOURS = (\[.*?\]);", SOURCES[2].read_text())
    assert json.loads(named) == COLOURS[:6]


# The widget, without a browser --------------------------------------------------------------------------


def test_the_points_go_to_the_page_as_bytes():
    X = datasets.old_faithful().X
    play = explore.playground(X, K=2)
    assert np.array_equal(play.X, X)
    assert (play._K, play.mixture, repr(play)) == (2, None, "<playground: 272 points>")
    assert np.array_equal(np.frombuffer(play._points), X.ravel())
    play.X[:] = 0  # a copy
    assert np.array_equal(play.X, X)
    play.X = X[:5]
    assert np.array_equal(play.X, X[:5])
    play._points = memoryview(X[:7].tobytes())  # as the page sends them
    assert np.array_equal(play.X, X[:7])
    assert explore.playground().X.shape == (0, 2)
    assert repr(explore.playground()) == "<playground>"


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("floor", [0.0, [0.01, 0.02]])
def test_a_mixture_goes_to_the_page_and_back(structure, floor):
    X = datasets.skewed_blobs().X
    first = start.from_data(X, 3, np.random.default_rng(0), structure=structure, floor=floor)
    trace = fit(first, X, tol=0, max_iter=5)
    checks.monotone(trace)
    play = explore.playground(X)
    play.mixture = trace.model
    json.dumps(play._mixture)  # plain numbers
    assert play.mixture.components == trace.model.components
    np.testing.assert_allclose(play.mixture.weights, trace.model.weights, rtol=1e-15)
    play.X = X[:50]
    assert play.mixture is None  # until the page has made a start


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1, 2], "X is one-dimensional"),
        (np.zeros((4, 3)), "X has 3 columns; the playground is a plane: choose two"),
        (np.zeros((4001, 2)), "X has 4001 points; the playground takes 4000 at most"),
        ([[np.nan, 1]], "X holds nan or infinite values"),
        ([[1e10, 1]], "X holds 1e.10; the playground reaches 1e.09: rescale"),
        (np.zeros((0, 2)), "X is empty"),
        ("cats", "X cannot be read as an array of numbers"),
        ([[1j, 2]], "complex"),
    ],
)
def test_points_that_the_page_cannot_show(X, message):
    with pytest.raises(ValueError, match=message):
        explore.playground(X)
    play = explore.playground([[1, 2]])
    with pytest.raises(ValueError, match=message):
        play.X = X
    assert np.array_equal(play.X, [[1, 2]])


@pytest.mark.parametrize("K", [0, 7, 2.5, "3", None, True])
def test_k_that_the_page_cannot_show(K):
    with pytest.raises(ValueError, match=r"K is .*; it must be"):
        explore.playground(K=K)


def test_mixtures_that_the_page_cannot_show():
    play = explore.playground()
    plane = {"means": [[0, 0]], "covariances": [np.eye(2)]}
    for mixture, message in [
        (3, "mixture is an int; it must be a Mixture"),
        (Mixture([1], Gaussian.univariate([0], [1])), "of 1 Gaussian in 1 dimension; the playground shows"),
        (
            Mixture(np.ones(7) / 7, Gaussian(np.zeros((7, 2)), np.ones(7), "spherical")),
            "7 spherical Gaussians",
        ),
        (Mixture([1], Gaussian(**plane, ridge=0.1)), "a ridge, a prior or fixed parameters"),
        (Mixture([1], Gaussian(**plane, fixed="means")), "a ridge, a prior or fixed parameters"),
        (Mixture([1], Gaussian(**plane), weight_count=1), "a ridge, a prior or fixed parameters"),
    ]:
        with pytest.raises(ValueError, match=message):
            play.mixture = mixture
    assert play.mixture is None


def test_without_anywidget_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "emlib.playground")
    with pytest.raises(
        ModuleNotFoundError, match=r"explore.playground needs anywidget, which is not installed: inst"
    ):
        explore.playground()
