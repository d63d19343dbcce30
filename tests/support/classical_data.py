"""Small score matrices that several tests share, with their origin."""

import numpy as np
import pandas as pd

# Law School Admission Test, sections 6 and 7 (Bock & Lieberman 1970): pattern:count.
_LSAT6 = (
    "00000:3 00001:6 00010:2 00011:11 00100:1 00101:1 00110:3 00111:4 01000:1 01001:8 "
    "01011:16 01101:3 01110:2 01111:15 10000:10 10001:29 10010:14 10011:81 10100:3 10101:28 "
    "10110:15 10111:80 11000:16 11001:56 11010:21 11011:173 11100:11 11101:61 11110:28 "
    "11111:298 "
)
_LSAT7 = (
    "00000:12 00001:19 00010:1 00011:7 00100:3 00101:19 00110:3 00111:17 01000:10 01001:5 "
    "01010:3 01011:7 01100:7 01101:23 01110:8 01111:28 10000:7 10001:39 10010:11 10011:34 "
    "10100:14 10101:51 10110:15 10111:90 11000:6 11001:25 11010:7 11011:35 11100:18 11101:136 "
    "11110:32 11111:308 "
)

# Sixty simulated persons on items worth 1, 1, 1, 2, 3 and 1 points; "." is a missing score.
_PARTIAL = (
    "000000 111131 111120 010100 101110 010010 011020 100110 111231 000100 111201 000210 "
    "001220 011120 010110 111130 111100 101100 010010 111210 000100 100100 101110 010000 "
    "000100 011120 110200 000100 000100 100100 101120 100110 100100 101101 110221 110110 "
    "100130 111230 001011 110110 001110 111210 110230 100010 110030 000120 000010 010001 "
    "100001 001000 111221 101131 001220 111221 111230 000100 110120 010101 000000 110120 "
)
_GAPS = (
    "000000 111131 111120 010100 101110 0100.0 011020 100110 1.1231 000100 111201 0...10 "
    "001220 0111.0 010110 111130 1.1100 101100 010010 111210 000100 100100 1011.0 010000 "
    "000100 01..20 110200 00.100 0.01.0 100100 10.120 .00110 100100 10..01 110221 110110 "
    "100130 111.30 001011 110110 001110 111210 110230 100010 110.30 0001.0 000010 010001 "
    "100001 001000 11.22. 101131 001220 111.21 111230 .0..00 110120 .101.1 00.000 110120 "
)


def _patterns(text: str) -> pd.DataFrame:
    pairs = [entry.split(":") for entry in text.split()]
    rows = np.array([[float(score) for score in pattern] for pattern, _ in pairs])
    counts = [int(count) for _, count in pairs]
    columns = [f"item-{number}" for number in range(1, rows.shape[1] + 1)]
    return pd.DataFrame(np.repeat(rows, counts, axis=0), columns=columns)


def lsat6() -> pd.DataFrame:
    """1000 persons on five items scored 0 or 1."""
    return _patterns(_LSAT6)


def lsat7() -> pd.DataFrame:
    """1000 persons on five items scored 0 or 1."""
    return _patterns(_LSAT7)


def _points(text: str) -> pd.DataFrame:
    rows = [[np.nan if score == "." else float(score) for score in row] for row in text.split()]
    return pd.DataFrame(rows, columns=list("abcdef"))


def partial_credit(*, gaps: bool = False) -> pd.DataFrame:
    """60 persons on six items worth 1, 1, 1, 2, 3 and 1 points."""
    return _points(_GAPS if gaps else _PARTIAL)


def grouped() -> tuple[pd.DataFrame, pd.Series]:
    """LSAT6 and LSAT7 side by side with groups "r", "f" and DIF against "f", by whole numbers.

    Items v1 to v5 are those of LSAT6, w1 to w5 those of LSAT7; x is v1 + v2 + w1 (0 to 3), y is
    w2 + w3 (0 to 2), and their parts are left out. Of group "f", some right answers on v3 are
    made wrong, and some points on x taken.
    """
    person = np.arange(1000)
    six, seven = lsat6(), lsat7()
    # A step prime to 1000 mixes the sections, which both stand sorted by pattern.
    seven = seven.iloc[(person * 377) % 1000].reset_index(drop=True)
    both = pd.concat(
        [
            six.set_axis([f"v{i}" for i in range(1, 6)], axis=1),
            seven.set_axis([f"w{i}" for i in range(1, 6)], axis=1),
        ],
        axis=1,
    )
    group = pd.Series(np.where((person * 7919) % 1000 < 450, "f", "r"))
    spoiled = (group == "f") & ((person * 104729) % 97 < 25)
    matrix = both[["v3", "v4", "v5", "w4", "w5"]].copy()
    matrix.loc[spoiled, "v3"] = 0.0
    matrix["x"] = both["v1"] + both["v2"] + both["w1"]
    matrix.loc[spoiled, "x"] = (matrix.loc[spoiled, "x"] - 1).clip(lower=0)
    matrix["y"] = both["w2"] + both["w3"]
    return matrix, group
