"""Explanations and charges in the words of riders, French first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from payments.bill import Charge
from payments.own_price import Addition
from payments.taps import End
from routing.itinerary import Explanation
from routing.ranking import Reason

LANGUAGES = ("fr", "en")

_SENTENCES: dict[str, tuple[str, str]] = {
    "group_too_large": (
        "Aucune voiture n'a {seats} places libres (au plus {largest}) : le covoiturage est écarté.",
        "No car has {seats} free seats ({largest} at most): carpool is left out.",
    ),
    "no_service_on_date": (
        "Aucun horaire pour le {date} : les horaires connus vont du {first_date} au {last_date}.",
        "No timetable for {date}: the known ones run from {first_date} to {last_date}.",
    ),
    "no_street_near_origin": (
        "Aucune rue à moins de {within_m} m du départ.",
        "No street within {within_m} m of the start.",
    ),
    "no_street_near_destination": (
        "Aucune rue à moins de {within_m} m de l'arrivée.",
        "No street within {within_m} m of the destination.",
    ),
    "no_stop_near_origin": (
        "Aucun arrêt à moins de {within_min} min à pied du départ.",
        "No stop within a {within_min} min walk of the start.",
    ),
    "no_stop_near_destination": (
        "Aucun arrêt à moins de {within_min} min à pied de l'arrivée.",
        "No stop within a {within_min} min walk of the destination.",
    ),
    "nearest": (
        " Le plus proche est {stop}, à {walk_min} min à pied.",
        " The nearest is {stop}, a {walk_min} min walk.",
    ),
    "next_departure": (
        " Prochain départ de là : {departure_at}, ligne {line} vers {headsign}.",
        " Next departure from there: {departure_at}, line {line} to {headsign}.",
    ),
    "no_connection": (
        "Aucune correspondance trouvée dans les {hours} heures.",
        "No connection found within {hours} hours.",
    ),
    "nothing_better_than_walking": (
        "Rien de mieux que la marche : {walk_km} km, {walk_min} min.",
        "Nothing better than walking: {walk_km} km, {walk_min} min.",
    ),
    "no_carpool_with_vias": (
        "Le covoiturage n'est pas cherché avec un passage imposé.",
        "Carpool is not searched by way of a stop.",
    ),
    "no_street_map": (
        "Pas de plan des rues sur ce territoire : les marches sont des lignes droites.",
        "No street map in this territory: walks are straight lines.",
    ),
    "elevator_out_of_service": (
        "L'ascenseur {elevator} ({station}) est hors service : il n'est pas emprunté.",
        "The elevator {elevator} ({station}) is out of service: it is not used.",
    ),
    "accessibility_unknown": (
        "Seuls les arrêts et véhicules connus comme accessibles ont été cherchés.",
        "Only stops and vehicles known to be accessible were searched.",
    ),
    "nothing_found": ("Aucun itinéraire trouvé.", "No itinerary found."),
}


def sentence(explanation: Explanation, language: str, zone: ZoneInfo) -> str:
    """What an explanation says to a rider."""
    index = LANGUAGES.index(language)
    values = {name: _shown(value, language, zone) for name, value in explanation.values.items()}
    text = _SENTENCES[explanation.code][index].format(**values)
    for code, needed in (("nearest", "stop"), ("next_departure", "departure_at")):
        if needed in values:
            text += _SENTENCES[code][index].format(**values)
    return text


_REASONS: dict[Reason, tuple[str, str]] = {
    Reason.DOMINATED: (
        "Un autre ne part pas plus tôt, n'arrive pas plus tard, sans véhicule de plus.",
        "Another one leaves no earlier, arrives no later and takes no more vehicles.",
    ),
    Reason.SAME_VEHICLES: (
        "Les mêmes véhicules, en partant plus tôt ou en arrivant plus tard.",
        "The same vehicles, leaving earlier or arriving later.",
    ),
    Reason.CHANGE_SAVES_TOO_LITTLE: (
        "Un trajet plus simple, avec moins de conducteurs ou de correspondances, le vaut.",
        "A simpler journey, with fewer drivers or changes, is as good.",
    ),
    Reason.WALKS_MORE_THAN_ALL_THE_WAY: (
        "On y marche plus que pour faire tout le trajet à pied.",
        "One walks more than for going all the way on foot.",
    ),
    Reason.SHORT_BIKE_LEG: (
        "Le vélo n'y sert qu'à moins de quatre minutes.",
        "The bike serves for less than four minutes.",
    ),
    Reason.TOO_COSTLY: (
        "Bien plus long et pénible qu'un autre.",
        "Much longer and more tiring than another one.",
    ),
    Reason.NEAR_DUPLICATE: (
        "Presque le même qu'un autre, moins bon.",
        "Nearly the same as another one, and worse.",
    ),
    Reason.GAINS_TOO_LITTLE: (
        "Moins cher, plus propre, plus sûr ou moins à pied, mais de peu ou moins qu'un autre.",
        "Cheaper, cleaner, safer or less walking, but hardly, or less so than another one.",
    ),
}


def reason_sentences(reason: str) -> dict[str, str]:
    """Why a journey is not shown, in every language."""
    return dict(zip(LANGUAGES, _REASONS[Reason(reason)], strict=True))


def messages(explanations: tuple[Explanation, ...], zone: ZoneInfo) -> list[Mapping[str, str]]:
    """Explanations with their sentences in every language."""
    return [
        {"code": e.code, **{language: sentence(e, language, zone) for language in LANGUAGES}}
        for e in explanations
    ]


def _shown(value: object, language: str, zone: ZoneInfo) -> str:
    if isinstance(value, dt.datetime):
        local = value.astimezone(zone)
        return f"{_shown(local.date(), language, zone)} {local:%H:%M}"
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}" if language == "fr" else f"{value:%Y-%m-%d}"
    if isinstance(value, float):
        text = f"{value:g}"
        return text.replace(".", ",") if language == "fr" else text
    return str(value)


def charge_label(charge: Charge, language: str) -> str:
    """What a charge is for; the rule's own id names it."""
    french = language == "fr"
    if charge.kind == "product":
        return f"Forfait « {charge.rule} »" if french else f"“{charge.rule}” pass"
    if charge.kind == "fare_journey":
        return (
            f"Trajet « {charge.rule} », correspondances comprises"
            if french
            else f"“{charge.rule}” journey, changes included"
        )
    return f"Trajet « {charge.rule} »" if french else f"“{charge.rule}” ride"


_ENDS: Mapping[End, tuple[str, str]] = {
    End.CHOSEN: ("selon l’itinéraire que vous aviez choisi", "from the itinerary you had chosen"),
    End.NEXT_BOARDING: ("selon votre montée suivante", "from where you boarded next"),
    End.HABIT: ("selon vos trajets habituels", "from your usual rides"),
    End.LINE_MAXIMUM: (
        "inconnue, donc au plus loin sur la ligne",
        "unknown, so the farthest along the line",
    ),
}


def end_words(how: End, language: str) -> str:
    """How the end of a leg that nobody tapped out of was guessed."""
    return _ENDS[how][LANGUAGES.index(language)]


def end_sentence(how: End, language: str) -> str:
    """The same, said of one leg."""
    said = "arrivée estimée\N{NO-BREAK SPACE}:" if language == "fr" else "arrival estimated:"
    return f"{said} {end_words(how, language)}"


def addition_sentence(added: Addition, language: str) -> str | None:
    """Why a journey costs a rider so much: caps it reaches, others who pay; None for nothing."""
    if added.amount_cents is None:
        return None
    french = language == "fr"
    told = []
    covered = dict.fromkeys(c.rule for c in added.charges if c.kind == "product")
    if covered:
        names = [f"« {rule} »" if french else f"“{rule}”" for rule in covered]
        caps = (" et " if french else " and ").join(names)
        whole_cents = added.amount_cents + added.paid_cents
        if whole_cents == 0 or added.reached.issuperset(covered):
            told.append(
                f"Votre plafond {caps} est atteint." if french else f"Your {caps} cap is reached."
            )
        else:
            told.append(
                f"Vous atteignez votre plafond {caps}." if french else f"You reach your {caps} cap."
            )
    if added.paid_cents > 0:
        told.append("Une part est payée pour vous." if french else "A part is paid for you.")
    return " ".join(told) or None
