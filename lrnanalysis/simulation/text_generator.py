"""Made-up words, misspellings and essays for simulated questions and answers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

__all__ = [
    "CARELESS_NUMBERS",
    "CARELESS_WORDS",
    "GAP_WORDS",
    "NOUNS",
    "choose",
    "count_words",
    "essay",
    "misspelt",
]

GAP_WORDS = (
    "although", "because", "before", "despite", "during", "however", "meanwhile", "since",
    "therefore", "though", "unless", "until", "when", "whereas", "while",
)  # fmt: skip

NOUNS = (
    "altitude", "angle", "aquifer", "cylinder", "delta", "diameter", "equator", "estuary",
    "evaporation", "friction", "glacier", "gravity", "hypotenuse", "isthmus", "meridian",
    "molecule", "parallelogram", "perimeter", "photosynthesis", "plateau", "prism", "quadrant",
    "sediment", "tangent", "vertex", "watershed",
)  # fmt: skip

#: Typed by learners who give up on a question.
CARELESS_WORDS = ("x", "idk", "?", "asdf", "no")
CARELESS_NUMBERS = ("0", "1", "x", "99")

_SENTENCES = (
    "The river changes its course every spring.",
    "Most of the water comes from melting snow in the mountains.",
    "People who live near the bank have learned to expect floods.",
    "In dry years the fields depend on wells that were dug long ago.",
    "This is why the village council keeps a record of the water level.",
    'A "safe" level is less than two metres at the old bridge.',
    "When it rises further, the lower road is closed.",
    "Some farmers would rather move their sheds than lose another harvest.",
    "Others say that the soil near the river is simply too good to leave.",
    "Both sides agree that the dam upstream needs repair.",
    "The graph shows three peaks, and each of them follows a warm week.",
    "I think the second source is more reliable because it gives numbers.",
    "It doesn't say, however, who measured them or how.",
    "For example, the table leaves out the winter of the great frost.",
    "On the one hand a wall protects the houses; on the other it narrows the river.",
    "That makes the current faster & carries the problem to the next town.",
    "A better plan is to give the river more room where nobody lives.",
    "Wetlands store water slowly and release it slowly.",
    "They are also home to birds such as the reed bunting.",
    "In conclusion, the village should repair the dam first and then restore the wetland.",
    "Le café près du pont reste fermé pendant les crues.",
    "The cost would be about 40 % of what the last flood destroyed.",
)


def choose(rng: np.random.Generator, words: Sequence[str], number: int) -> list[str]:
    """Draw `number` distinct words."""
    return [words[int(at)] for at in rng.choice(len(words), size=number, replace=False)]


def misspelt(rng: np.random.Generator, word: str) -> str:
    """Drop one of the inner letters of a word."""
    at = int(rng.integers(1, len(word) - 1))
    return word[:at] + word[at + 1 :]


def essay(rng: np.random.Generator, words: int) -> str:
    """Write paragraphs of HTML with at least `words` words, in whole sentences."""
    paragraphs: list[list[str]] = [[]]
    written = 0
    while written < words:
        sentence = _SENTENCES[int(rng.integers(len(_SENTENCES)))]
        written += len(sentence.split())
        paragraphs[-1].append(sentence.replace("&", "&amp;"))
        if written < words and rng.random() < 0.25:
            paragraphs.append([])
    return "\n".join(f"<p>{' '.join(sentences)}</p>" for sentences in paragraphs if sentences)


def count_words(text: str) -> int:
    """Count the words of a text in HTML."""
    return len(re.sub(r"<[^>]*>", " ", text).split())
