"""Explorables, as far as they can be moved without a browser."""

import ipywidgets as widgets
import numpy as np
import pytest
from matplotlib.figure import Figure

from emlib import Gaussian, Mixture, datasets, em, explore, fit, plot

X = datasets.three_clusters().X
GUESS = Mixture(np.ones(3) / 3, Gaussian.univariate([-5, 8, 1.5], [25, 9, 1]))
PNG = b"\x89PNG"


@pytest.fixture
def bar():
    """A figure with one bar, and a function that draws its height."""
    figure = Figure(figsize=(3, 2), layout="constrained")
    ax = figure.subplots()
    ax.set_ylim(-50, 50)
    (rectangle,) = ax.bar([0], [10])

    def draw(**heights):
        rectangle.set_height(sum(heights.values()))
        return figure

    return draw


@pytest.fixture
def links(monkeypatch):
    """What the browser is told to link: pairs of (widget, trait)."""
    made, jslink = [], widgets.jslink

    def record(source, target):
        made.append((source, target))
        return jslink(source, target)

    monkeypatch.setattr(explore.widgets, "jslink", record)
    return made


def test_a_film_has_one_picture_for_each_step_and_they_differ():
    plot.style()
    trace = fit(GUESS, X, tol=0, max_iter=5)
    film = explore.film(trace, X)
    controls, pile = film.children
    play, slider = controls.children[0].children
    pictures = [bytes(image.value) for image in pile.children]
    assert len(pictures) == len(slider.options) == 6
    assert len(set(pictures)) == 6
    assert all(picture.startswith(PNG) for picture in pictures)
    assert (play.min, play.max, play.value, slider.index, pile.selected_index) == (0, 5, 0, 0, 0)
    assert repr(film) == "<film of 6 frames: iteration 0 to 5, opens at 0>"


def test_a_long_fit_is_shown_by_some_of_its_steps(monkeypatch):
    monkeypatch.setattr(explore, "MOST_FRAMES", 5)
    film = explore.film(fit(GUESS, X, tol=0, max_iter=40), X)
    _, slider = film.children[0].children[0].children
    assert slider.options == ("0", "10", "20", "30", "40")
    film = explore.film(fit(GUESS, X, tol=0, max_iter=40), X, opens=19)
    assert film.children[0].children[0].children[1].value == "20"


def test_the_browser_alone_moves_a_film(links):
    film = explore.film(fit(GUESS, X, tol=0, max_iter=2), X)
    controls, pile = film.children
    play, slider = controls.children[0].children
    assert len(links) == 2
    assert ((slider, "index"), (pile, "selected_index")) in links
    assert ((play, "value"), (slider, "index")) in links


def test_two_sliders_are_a_pile_of_piles(bar, links):
    film = explore.frames(bar, a=[1, 2, 3], b=[10, 20])
    controls, outer = film.children
    (_, a), b = controls.children[0].children, controls.children[1]
    assert [len(inner.children) for inner in outer.children] == [2, 2, 2]
    pictures = {bytes(image.value) for inner in outer.children for image in inner.children}
    assert len(pictures) == 6
    assert ((a, "index"), (outer, "selected_index")) in links
    for inner in outer.children:
        assert ((b, "index"), (inner, "selected_index")) in links
    assert repr(film) == "<film of 6 frames: a 1 to 3, b 10 to 20, opens at 1, 10>"


def test_a_film_opens_where_it_is_told(bar):
    film = explore.frames(bar, opens={"a": 3, "b": 20}, a=[1, 2, 3], b=[10, 20])
    controls, outer = film.children
    (play, a), b = controls.children[0].children, controls.children[1]
    assert (play.value, a.value, b.value) == (2, "3", "20")
    shown = outer.children[outer.selected_index]
    assert shown.children[shown.selected_index].value == shown.children[1].value
    drawn = explore.frames(bar, a=[3], b=[20]).children[1].children[0].children[0].value
    assert bytes(shown.children[1].value) == bytes(drawn)
    assert repr(film).endswith("opens at 3, 20>")


def test_controls_are_as_wide_as_the_picture(bar):
    for explorable in (explore.frames(bar, a=[1, 2]), explore.live(bar, a=(0, 1, 0))):
        controls, picture = explorable.children
        while not isinstance(picture, widgets.Image):
            picture = picture.children[0]
        assert controls.layout.width == picture.layout.width == "240px"


def test_live_draws_at_every_move_and_at_both_ends(bar):
    live = explore.live(bar, height=(-10, 10, 3))
    controls, image = live.children
    (slider,) = controls.children
    seen = {bytes(image.value)}
    for value in (slider.min, slider.max, 0.4):
        slider.value = value
        seen.add(bytes(image.value))
    assert len(seen) == 4
    assert slider.min == -10
    assert slider.max == 10
    assert repr(live) == "<live picture: height -10 to 10>"


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [
        (-15, 15, 0.5),
        (0.5, 40, 0.5),
        (0, 1, 0.02),
        (0, 700, 10),
        (0.2, 0.7, 0.01),
        (1.8, 2.3, 0.01),
        (0.25, 0.3, 0.001),
    ],
)
def test_live_sliders_move_in_round_steps(bar, low, high, step):
    (slider,) = explore.live(bar, height=(low, high, low)).children[0].children
    assert slider.step == pytest.approx(step)


def test_a_live_slider_moves_by_the_step_it_is_given(bar):
    (slider,) = explore.live(bar, height=(-1, 1, 0, 0.1)).children[0].children
    assert slider.step == pytest.approx(0.1)


def test_nothing_is_fitted_on_a_move(bar, monkeypatch):
    live = explore.live(bar, height=(0, 10, 3))
    film = explore.film(fit(GUESS, X, tol=0, max_iter=2), X)

    def forbidden(*_):
        raise AssertionError("an M-step on a move")

    monkeypatch.setattr(Mixture, "maximize", forbidden)
    with pytest.raises(AssertionError, match="on a move"):
        list(zip(em(GUESS, X), range(3), strict=False))  # the trap works
    live.children[0].children[0].value = 7
    film.children[0].children[0].children[1].index = 2


def test_an_error_in_the_drawing_is_not_swallowed():
    def draw(height):
        if height > 5:
            raise RuntimeError("too high")
        return Figure()

    live = explore.live(draw, height=(0, 10, 3))
    with pytest.raises(RuntimeError, match="too high"):
        live.children[0].children[0].value = 7


def test_explorables_that_make_no_sense(bar):
    with pytest.raises(ValueError, match="the film has no frames"):
        explore.frames(bar)
    with pytest.raises(ValueError, match="the film has no frames"):
        explore.frames(bar, a=[])
    for values in (3, "ab", {1: 2}, np.array(3)):
        with pytest.raises(ValueError, match=r"a is .*; it must be a list of values, or a range"):
            explore.frames(bar, a=values)
    with pytest.raises(ValueError, match="the film has 160 frames; it may have 150"):
        explore.frames(bar, a=range(16), b=range(10))
    with pytest.raises(ValueError, match="there is nothing to move"):
        explore.live(bar)
    for limits in [(0, 1), (0, 1, 2), (1, 0, 0.5), (1, 1, 1), (0, 1, 0, 1, 1)]:
        with pytest.raises(ValueError, match=r"height is .* it must be \(low, high, start\)"):
            explore.live(bar, height=limits)
    with pytest.raises(ValueError, match="the step of height is 0; it must be greater than 0"):
        explore.live(bar, height=(0, 1, 0, 0))
    with pytest.raises(ValueError, match="opens names 'c'; the axes of the film are a, b"):
        explore.frames(bar, opens={"c": 1}, a=[1, 2], b=[1, 2])
    with pytest.raises(ValueError, match="opens has a = 3; it must be one of the values"):
        explore.frames(bar, opens={"a": 3}, a=[1, 2])
    with pytest.raises(ValueError, match="opens is an int; it must be a dict"):
        explore.frames(bar, opens=3, a=[1, 2])
    with pytest.raises(ValueError, match="opens is 9"):
        explore.film(fit(GUESS, X, tol=0, max_iter=2), X, opens=9)
    with pytest.raises(ValueError, match="holds only its last model"):
        explore.film(fit(GUESS, X, tol=0, max_iter=2, keep="values"), X)


def test_a_drawing_that_returns_nothing_is_said_to():
    with pytest.raises(ValueError, match="what draw returns is None; it must be a Figure"):
        explore.frames(lambda a: None, a=[1, 2])
