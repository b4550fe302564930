"""Titles in the vectors of passages: what an article is about, added to each of its passages. Pure functions.

A passage's vector is unit(passage + TITLE_WEIGHT * title). Hit@3 over whole articles with the weights 0, 0.2,
0.4 and 0.75: 28 English questions 0.86, 0.86, 0.93 and 0.93; 28 Arabic ones 0.79, 0.79, 0.89 and 0.86. Where
only one language has titles (XQuAD in one archive with titled passages of ARCD), nDCG@10 of both languages
moves by 0.003 at most. To embed title and passage as one text instead cost English questions over Arabic
articles 0.11 of nDCG@10.
"""

import numpy as np
from numpy.typing import NDArray

TITLE_WEIGHT = 0.4


def with_titles(passages: NDArray[np.float32], titles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add the vectors of titles to those of passages, both (n, d); a row of zeros is no title."""
    titled = titles.any(axis=1)
    sums = passages[titled] + np.float32(TITLE_WEIGHT) * titles[titled]
    vectors = passages.copy()
    vectors[titled] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return vectors
