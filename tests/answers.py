"""What the tests of exercises share: an object that breaks whatever is asked of it, and that no diagnosis rots."""


class Hostile:
    """Breaks whatever is asked of it."""

    def __array__(self, *_, **__):
        raise RuntimeError("no")

    __len__ = __iter__ = __float__ = __int__ = __str__ = __array__


def check_every_diagnosis(exercise, programs):
    """Each diagnosis answers one of these programs, so none can rot unseen; and each part has three at least."""
    answers = [str(exercise(program)) for program in programs]
    for part in exercise.parts:
        diagnoses = {mistake.diagnosis for mistake in part.mistakes}
        assert len(diagnoses) >= 3
        for diagnosis in diagnoses:
            assert any(said.endswith(diagnosis) for said in answers), diagnosis
