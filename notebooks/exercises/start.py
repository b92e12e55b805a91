"""The one exercise of the start page: how a check answers."""

from __future__ import annotations

from typing import Any

from exercises.judge import Verdict, judge
from exercises.predictions import lone_number

HEIGHTS = {6: -189.61, 7: -188.29, 8: -186.92, 9: -186.20}  # log-likelihoods of the film, by iteration


def first_above(prediction: Any) -> Verdict:
    """Judge at which iteration of the start page's film the log-likelihood rises above -187.

    Parameters
    ----------
    prediction : number
        None if there is none yet.
    """
    return judge("first_above", prediction, lone_number, "give one number, the iteration", _answer)


def _answer(given: float) -> str:
    if given == 8:
        return "correct: it is -186.92 there, and you can move a slider and read a check. On to lesson 1"
    if given < -100:
        return "this is a log-likelihood; give the number of the iteration at which it stands"
    if given not in range(13):
        return "the iterations of the film are 0 to 12"
    if given in HEIGHTS:
        side = (
            "not above -187 yet; move on"
            if given < 8
            else "above -187, but not for the first time; move back"
        )
        return f"at iteration {given:g} it is {HEIGHTS[int(given)]:.2f}: {side}"
    return "too early: move on to where it rises" if given < 6 else "too late: it is above -187 long before"
