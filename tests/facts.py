"""What the lessons must print: numbers, where each is from, and the words around it as a lesson prints them.

`source` names who published the number (C is the tutorial of lessons 1, 2 and 6, GMM in python and EM); it is
"computed" where nobody did and the course stands for it alone.
"""

from typing import NamedTuple


class Fact(NamedTuple):
    """A text that must stand in the outputs of a lesson; runs of white space count as one blank."""

    lesson: str
    what: str
    text: str
    source: str


FACTS = [
    # 1: three clusters on a line
    Fact("01", "responsibilities, first row", "7.26 -> 0.029764401 0.970235407 0.000000192", "C"),
    Fact("01", "responsibilities, last row", "1.22 -> 0.085351372 0.024039600 0.890609028", "C"),
    Fact("01", "weights after one M-step", "weights [0.46989 0.336404 0.193706]", "computed"),
    Fact("01", "means after one M-step", "means [-7.364699 9.761041 0.632305]", "computed"),
    Fact("01", "variances after one M-step", "variances [21.937751 5.717883 0.70635 ]", "computed"),
    Fact("01", "log-likelihood of the guess", "the guess -211.793877", "computed"),
    Fact("01", "log-likelihood after one step", "after one step -193.709888", "computed"),
    Fact("01", "log-likelihood at the limit", "log-likelihood -186.111377", "computed"),
    Fact(
        "01",
        "C's pictured step falls",
        "C's first iteration -227.63, yours -193.71",
        "C's code; sum computed",
    ),
    Fact("01", "hard steps stop", "iteration 3: points held [25. 20. 15.]", "computed"),
    # 2: in the plane
    Fact(
        "02",
        "A's class, data 1, start 9",
        "0, 1, 5, 20, 100 steps: -2626.2307 -455.6873 -422.4941 -365.8482 -365.8482",
        "A's arithmetic; sums computed",
    ),
    Fact("02", "A's class falls, data 6, start 15", "steps that fall: 35", "A's arithmetic; sums computed"),
    Fact("02", "its highest and last", "-418.22 -418.56 -419.90", "A's arithmetic; sums computed"),
    Fact(
        "02",
        "repaired",
        "repaired, after 0, 1, 5, 13, 20, 100 steps: -2776.92 -425.05 -417.08",
        "computed",
    ),
    Fact("02", "start of C's first draw", "step 0: -27072.8099 nats", "C's start; sum computed"),
    Fact("02", "mass within one deviation, in the plane", "2 39.17% 86.5% 98.9%", "computed"),
    Fact("02", "log-likelihood after 5 steps", "step 5: -3016.2607 nats", "computed"),
    Fact("02", "from the start to step 50", "never falls: 24098.831398 nats gained in 50 steps", "computed"),
    Fact("02", "best maximum", "log-likelihood -2973.9785", "computed"),
    # 3: k-means
    Fact("03", "k-means, unstretched", "adjusted Rand index 1.000, inertia 280.00", "computed"),
    Fact("03", "the border at variance 16, 4, 1", "variance 1: the border is at 5.22", "computed"),
    Fact(
        "03", "lost by k-means", "k-means loses, stretched: 0.17 with ten starts, 0.15 with 200", "computed"
    ),
    Fact("03", "k-means, stretched, ten starts", "ten starts 163.87, adjusted Rand index 0.813", "computed"),
    Fact("03", "k-means, stretched, 200 starts", "200 starts 163.85, adjusted Rand index 0.835", "computed"),
    Fact("03", "mixture, unstretched", "as they were: adjusted Rand index 0.987", "computed"),
    Fact("03", "mixture, stretched", "stretched : adjusted Rand index 0.987", "computed"),
    # 4: digits
    Fact("04", "dimensions that hold 99 %", "points (1797, 41)", "VanderPlas"),
    Fact("04", "AIC at the published choice", "K = 110: AIC -198,825", "computed"),
    Fact("04", "AIC at the later published choice", "K = 140: AIC -222,286", "computed"),
    Fact("04", "least AIC of today", "K = 150: AIC -234,112 <- the smallest", "computed"),
    Fact("04", "parameters at K = 110", "99,329 parameters, fitted to 73,677 numbers", "computed"),
    Fact("04", "largest cluster at K = 110", "from 2 to 38, median 16; dimensions: 41", "computed"),
    Fact("04", "AIC with a ridge of 1e-2", "ridge 1e-02: AIC 172,492", "computed"),
    Fact("04", "unseen digits, 5 and 110 components", "110 Gaussians -2,897,510.5", "computed"),
    Fact("04", "unseen digits, shrunk", "20 shrunk Gaussians -45.7", "computed"),
    # 5: why EM works
    Fact(
        "05", "coins, iteration 1", "iteration 1: [0.713012 0.581339]", "Do & Batzoglou 2008, to two digits"
    ),
    Fact(
        "05", "coins, iteration 10", "iteration 10: [0.796744 0.519659]", "Do & Batzoglou 2008, to two digits"
    ),
    Fact("05", "coins, limit", "iteration 60: [0.796789 0.519583]", "computed"),
    Fact("05", "the bound between two iterates", "-48.0230 = -48.0230 <= -47.4196 <= -46.7801", "computed"),
    # 6: where EM starts
    Fact("06", "start read as variances", "read as variances: -186.140924", "computed"),
    Fact("06", "read as standard deviations", "read as standard deviations: -216.098415", "computed"),
    Fact("06", "points that are then held", "[38.56 19.7 1.73]", "computed"),
    Fact("06", "forty draws in A's manner", "'found': 10, 'elsewhere': 8, 'collapsed': 22", "computed"),
    Fact("06", "pull 1", "[[3, -5], [-7, 1], [-15, 21]] to -2973.9785", "computed"),
    Fact("06", "pull 2", "[[15, -20], [11, -15], [10, -20]] to -3031.5455", "computed"),
    Fact("06", "pull 3", "[[16, 14], [9, -17], [14, 22]] to -3038.1361", "computed"),
    Fact("06", "pull 4", "[[-7, 19], [1, -11], [-20, -10]] to -3027.8385", "computed"),
    Fact("06", "pull 5", "[[23, 3], [-18, 14], [15, 10]] to -3031.5455", "computed"),
    Fact("06", "pull 6", "[[-17, -2], [15, 0], [-3, 7]] to -2973.9785", "computed"),
    Fact("06", "C's answer", "3, 50 steps, without 0.842931 0.157065 3.27e-06", "C"),
    Fact(
        "06", "the same with the weights", "3, 50 steps, with weights 0.807160 0.192835 4.95e-06", "computed"
    ),
    Fact("06", "where pull 3 ends", "at -3037.8168", "computed"),
    # 7: where EM stops
    Fact(
        "07",
        "B's rule, one reading of it",
        "stops at step 47 if all three",
        "B publishes 47; on points of ours",
    ),
    Fact("07", "C's first point, converged", "tol 1e-07: 8 steps, shares [0.582 0.418]", "computed"),
    Fact("07", "where pull 3 ends", "at the end, after 1168 steps: -3037.8168", "computed"),
    Fact("07", "scikit-learn on the plateau", "log-likelihoods from -1289.83 to -1289.62", "computed"),
    Fact("07", "a single Gaussian", "a single Gaussian: -1289.797", "computed"),
    Fact("07", "the twenty fits end", "emlib: {'converged'} from -1130.27 to -1130.26", "mclust: -1130.2640"),
    Fact("07", "a tolerance of 1e-5", "18 of 20 escape", "computed"),
    # 8: when EM breaks
    Fact(
        "08",
        "an added ridge may lose",
        "3 of 40 fits fall by more than 1e-6 nats, the worst by 0.0023",
        "computed",
    ),
    Fact("08", "a clipped floor loses nothing", "clipped : 0 of 40 fits fall", "computed"),
    Fact("08", "tied is bounded", "one variance for all: -187.58 nats", "computed"),
    Fact("08", "a third component", "-1114.4 nats, converged", "computed"),
    # 9: the bug hunt
    Fact("09", "the means of C's class", "line 7 False, line 12 False -> [-14.68 14.94 -0.02]", "computed"),
    Fact("09", "C's altimeter", "falls in 19 of 49 steps", "computed; 20 in C's own arithmetic"),
    Fact(
        "09", "its second bug hid the first", "line 7 False, line 12 True -> nan in iteration 5", "computed"
    ),
    # 10: how many clusters
    Fact("10", "BIC chooses", "BIC chooses tied, K = 3", "mclust: EEE, 3"),
    Fact(
        "10", "BIC of EEE with three", "tied 2607.62 2325.22 2314.30", "mclust: 2314.32 with the other sign"
    ),
    Fact("10", "k-means' ways on stretched blobs", "3 3 4", "computed"),
    # 11: is one more chance
    Fact("11", "tied, two against three", "tied, 2 or 3: 27.74", "mclust: 2 (1140.1868 - 1126.3159)"),
    Fact("11", "the third maximum of full", "full, 3: -1114.44 nats, and in the sweep -1119.21", "computed"),
    # 12: are the digits new
    Fact("12", "samples and their sheets", "a sample at most 0.0076, an unseen digit 2.29", "computed"),
    Fact("12", "shrunk, fitted in the lesson", "unseen digits: -45.72 nats each", "computed"),
    Fact("12", "shrunk, in the table", "in the table: shrunk, K = 20, split 0: -45.72 nats", "computed"),
    Fact("12", "kernel density", "-52.70 nats for an unseen digit", "computed"),
    # 15: how fast, how sure
    Fact("15", "linkage, iteration 1", "iteration 1: 0.608247423", "DLR 1977"),
    Fact("15", "linkage, iteration 2", "iteration 2: 0.624321050", "DLR 1977, who print .624321051"),
    Fact("15", "linkage, iteration 3", "iteration 3: 0.626488879", "DLR 1977"),
    Fact("15", "linkage, limit", "the limit 0.6268214979", "computed"),
    Fact("15", "linkage, ratio of errors", "times 0.1328 makes the next", "DLR 1977"),
    Fact("15", "linkage, missing information", "missing 0.132779", "computed"),
    # For the curious
    Fact("90", "BIC of iris, full, 1", "full, K = 1: BIC 829.98", "mclust: 829.9782"),
    Fact("90", "BIC of iris, full, 2", "full, K = 2: BIC 574.02", "mclust: 574.0178"),
    Fact("90", "BIC of iris, full, 3", "full, K = 3: BIC 580.84", "mclust: 580.8396"),
    Fact("90", "errors by class mixtures", "1 a class, 20 points 7 6 9 5 5", "computed"),
]
