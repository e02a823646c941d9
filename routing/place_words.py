"""Words of names: folded as the index holds them, abbreviations, and words of little weight."""

from __future__ import annotations

import unicodedata

WORD_LIMIT = 12
LETTER_LIMIT = 40

_UNSPLIT = str.maketrans(
    {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Letters that the index folds and Unicode does not take apart."""

PARTICLES = frozenset((
    "d", "da", "das", "de", "del", "den", "der", "des", "die", "do", "dos", "du", "e", "el", "et",
    "l", "la", "las", "le", "les", "los", "of", "the", "y",
))  # fmt: skip
"""Typed or left out as people please; they count, but nothing is missed for them."""

_GROUPS = """
    avenue av ave avn
    avenida av avda avd
    boulevard bd bld blvd bvd boul
    chemin ch che chem
    faubourg fbg fg
    impasse imp
    place pl
    praca pc pca
    largo lg
    plaza pza
    passage pass psg
    quai q
    residence res
    rond rd
    route rte
    rue r
    rua r
    square sq
    travessa tv trv trav
    traverse trav
    alameda al
    estrada estr est
    street st
    road rd
    drive dr
    lane ln
    strasse str
    platz pl
    saint st
    sainte ste
    santa sta
    santo sto st
    sao s
    docteur dr
    doutor dr
    general gal gen
    marechal mal
    president pdt pres
    professeur pr prof
    professor prof
    engenheiro eng
    notre n
    dame d
    dom d
    hopital hop hosp
    hospital hosp
    centre ctre
    university univ
    universite univ
    universidade univ
    faculte fac
    faculdade fac
    escola esc
    ecole ec
    lycee lyc
    college coll
    mairie mrie
    zone z
    industrielle ind
    commercial cial com
    aeroport aer
    metro m
    north n
    south s
    east e
    west w
"""

OTHER_SPELLINGS: dict[str, frozenset[str]] = {}
"""Word → what else it may be written as. `st` stands for several words, so for all of theirs."""
for _line in _GROUPS.strip().splitlines():
    for _word in _line.split():
        _others = frozenset(_line.split()) - {_word}
        OTHER_SPELLINGS[_word] = OTHER_SPELLINGS.get(_word, frozenset()) | _others


def folded_words(text: str) -> list[str]:
    """Words as the index holds them: no accents, lower case, letters and digits only."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_UNSPLIT))
    kept = (c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return [word[:LETTER_LIMIT] for word in "".join(kept).split()[:WORD_LIMIT]]


def same_word(one: str, other: str) -> bool:
    """Say whether two folded words are one, spelled out or abbreviated."""
    return one == other or other in OTHER_SPELLINGS.get(one, ())
