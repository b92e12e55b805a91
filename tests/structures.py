"""What many tests share: the four structures of covariances, and matrices written in each."""

import numpy as np
import pytest

STRUCTURES = ["full", "tied", "diag", "spherical"]
each_structure = pytest.mark.parametrize("structure", STRUCTURES)


def covariances(structure, matrices):
    """Those of a structure, from matrices (K, D, D): the first for tied, the first variance for spherical."""
    matrices = np.asarray(matrices)
    return {
        "full": matrices,
        "tied": matrices[0],
        "diag": np.diagonal(matrices, axis1=1, axis2=2),
        "spherical": matrices[:, 0, 0],
    }[structure]


def written_out(structure, given, K, D):
    """Covariances of a structure as matrices (K, D, D)."""
    given = np.asarray(given)
    return {
        "full": lambda: given,
        "tied": lambda: np.tile(given, (K, 1, 1)),
        "diag": lambda: given[:, :, None] * np.eye(D),
        "spherical": lambda: given[:, None, None] * np.eye(D),
    }[structure]()
