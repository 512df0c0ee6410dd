"""Agreement of any number of annotators, of whom each may have labelled a part: Krippendorff's alpha for nominal data.

alpha = 1 - D_o / D_e, with the observed disagreement D_o of pairs of labels of one unit, and the disagreement D_e that
pairs drawn from all labels would have. 1 is perfect agreement, 0 that of chance. Source: Krippendorff 2011, "Computing
Krippendorff's Alpha-Reliability", section C.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence


def alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Alpha of units, each with the labels that it got; units with fewer than two are left out.

    Returns:
        At most 1; None if it is undefined: no unit has two labels, or all labels are the same.
    """
    paired = [Counter(labels) for labels in units if len(labels) > 1]
    totals: Counter[str] = Counter()
    for counts in paired:
        totals.update(counts)
    number = sum(totals.values())
    expected = number**2 - sum(count**2 for count in totals.values())
    if not expected:
        return None
    observed = 0.0
    for counts in paired:
        own = sum(counts.values())
        observed += (own**2 - sum(count**2 for count in counts.values())) / (own - 1)
    return 1 - (number - 1) * observed / expected
