"""
French names for things that do not exist: streets, villages, stops, people.

Every list is our own; the places are fictional, and so is every living person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

TOWN = "Valmont-sur-Loyre"
RIVER = "La Loyre"

QUARTERS = (
    "Centre-ville",
    "La Gare",
    "Les Tanneries",
    "Saint-Éloi",
    "Beauregard",
    "Les Vergers",
    "La Croix-Verte",
    "Rive-Nord",
    "Les Hautes-Terres",
    "Le Moulin-Neuf",
)
MARKET_TOWNS = ("Aubenoire-la-Tour", "Chantemerle-les-Prés")
HALT_VILLAGE = "Saint-Aurèle"
VILLAGES = (
    "Bréhaincourt",
    "Saint-Mesnin-le-Vieux",
    "Fontvieille-sous-Bois",
    "La Roche-Aubert",
    "Villedoux-en-Loyre",
    "Marcilloux",
    "Courgenay-l'Étang",
    "Saint-Philbert-des-Haies",
    "Neuvéglise-la-Forêt",
    "Champrond-le-Sec",
    "Ormevert-le-Haut",
    "Les Essarts-Morin",
    "Lignerolles-d'Aval",
    "Saint-Cyprien-du-Gué",
    "Tréfontaine-Basse",
    "Bois-Guérin",
)
HAMLETS = (
    "La Bruyère", "Le Grand-Chêne", "Les Quatre-Vents", "La Maladrie", "Puyrenard", "La Gaudinière",
    "Le Mas-Perdu", "Les Chaumes", "La Tuilerie", "Pré-Vert", "Les Mardelles", "La Verrerie",
    "Chez-Bardin", "Les Genêts", "Le Breuil", "La Fosse-aux-Loups", "Montplaisir", "Les Sablons",
    "La Croix-Blanche", "Le Petit-Villiers", "La Renardière", "Les Rouères", "Font-Claire",
    "Le Pont-Cassé", "La Chapelle-aux-Bois", "Les Marnières", "Vaugarni", "L'Aubépin", "Les Landes",
    "La Grange-Rouge", "Le Plessis", "La Métairie-Neuve",
)  # fmt: skip
FARM_KINDS = (
    "Ferme", "La Borde", "Le Domaine", "La Métairie", "Le Mas", "La Closerie", "Le Moulin",
    "La Bergerie", "Le Clos", "La Grange",
)  # fmt: skip
FARM_OF = (
    "des Ajoncs", "du Noyer", "des Trois-Ormes", "de l'Étang", "aux Pies", "du Vieux-Puits",
    "des Merisiers", "de la Source", "du Loup-Pendu", "des Glaneuses", "du Grand-Pré", "de l'Aulne",
    "des Bécasses", "du Four-à-Chaux", "de la Combe", "des Sorbiers", "du Haut-Bois", "de la Noue",
    "des Alouettes", "du Gué", "de l'Épinette", "des Hirondelles", "du Cormier", "des Pâtis",
)  # fmt: skip

PEOPLE = (
    "Jean Jaurès", "Victor Hugo", "Émile Zola", "Marie Curie", "Louis Pasteur", "Voltaire",
    "George Sand", "Gambetta", "Jules Ferry", "Pierre Curie", "Molière", "Honoré de Balzac",
    "Olympe de Gouges", "Simone Veil", "Jean Moulin", "Aristide Briand", "Léo Lagrange",
    "Lucie Aubrac", "Berthe Morisot", "Hector Berlioz", "Claude Debussy", "Maurice Ravel",
    "Auguste Renoir", "Camille Claudel", "Denis Diderot", "La Fontaine", "Racine", "Montaigne",
    "Alphonse Daudet", "Jules Verne", "Colette", "Louise Michel", "Flora Tristan", "Paul Éluard",
    "Robert Desnos", "Jacques Prévert", "Albert Camus", "Ampère", "Lavoisier", "Arago", "Lamartine",
    "Alfred de Musset", "Sophie Germain", "Condorcet", "Hoche", "Kléber", "Carnot", "Danton",
)  # fmt: skip
THINGS = (
    "de la République", "de la Liberté", "du Général-Morvan", "des Tanneurs", "du Marché",
    "de la Halle", "des Cordeliers", "du Chapitre", "de l'Horloge", "des Remparts", "du Puits",
    "de la Poterne", "du Four", "des Bouchers", "de la Monnaie", "Saint-Martin", "Saint-Jacques",
    "Notre-Dame", "des Ursulines", "du Collège", "du Théâtre", "de l'Arquebuse", "de la Préfecture",
    "du Faubourg", "de la Fontaine", "des Lavandières", "du Moulin", "de l'Abreuvoir", "des Forges",
    "de la Paix", "de l'Égalité", "du 8-Mai-1945", "du 11-Novembre", "de Verdun", "du 19-Mars-1962",
    "de la Gare", "de l'Abattoir", "du Stade", "de la Piscine", "des Écoles", "du Lavoir",
    "de l'Église", "du Presbytère", "du Château", "de la Mairie", "des Artisans", "du Commerce",
)  # fmt: skip
NATURE = (
    "des Tilleuls", "des Acacias", "des Lilas", "des Érables", "du Verger", "des Cerisiers",
    "des Noisetiers", "des Mésanges", "des Hirondelles", "du Pré-Long", "de la Prairie", "des Blés",
    "des Bleuets", "des Coquelicots", "du Bois-Joli", "de la Garenne", "des Vignes", "du Coteau",
    "des Peupliers", "des Saules", "de la Source", "des Genêts", "des Primevères", "des Fauvettes",
    "du Vallon", "de la Colline", "des Grands-Champs", "de la Plaine", "de la Butte", "des Jardins",
    "des Rossignols", "des Chardonnerets", "de Bellevue", "du Clos-Fleuri", "des Aubépines",
    "des Ormeaux", "du Champ-Rond", "des Églantiers", "des Noyers", "des Marronniers", "des Pins",
    "du Rouge-Gorge", "des Perdrix", "de la Croix-Verte", "du Petit-Bois", "des Pervenches",
)  # fmt: skip
TRADES = (
    "de l'Industrie", "des Compagnons", "Gustave Eiffel", "de l'Innovation", "des Entrepreneurs",
    "Joseph Jacquard", "Denis Papin", "de l'Énergie", "des Métiers", "Blaise Pascal",
)  # fmt: skip
CORNERS = [
    "Les Tilleuls", "La Croix Verte", "Le Lavoir", "Les Quatre-Chemins", "Le Clos", "La Pépinière",
    "Les Trois-Fontaines", "Octroi", "Porte des Champs", "Le Calvaire", "Les Coteaux", "La Rotonde",
    "Les Ormes", "Vieux Moulin", "La Justice", "Beau Site", "Les Glycines", "La Tannerie",
    "Pont de Fer", "La Futaie", "Les Platanes", "Bel-Air", "La Cité", "Les Jardins", "Le Belvédère",
    "Les Castors", "La Fauvette", "Haut Plateau", "La Bascule", "Le Pressoir", "Champ de Foire",
]  # fmt: skip
PLOTS = (
    "Pré", "Clos", "Champ", "Bois", "Puits", "Mas", "Val", "Four", "Pont", "Jardin", "Gué",
    "Verger",
)  # fmt: skip
PLOTS_OF = (
    "aux-Loups", "aux-Moines", "des-Dames", "Berthier", "aux-Oies", "Marchais", "du-Roi", "Perrin",
    "des-Frères", "Maréchal", "Robin", "aux-Lièvres", "Chauvet", "des-Brumes", "Tournant", "Sorel",
    "aux-Cailles", "Vieux", "Guillot", "des-Sœurs", "Renaud", "aux-Chèvres", "Gaillard", "Bas",
)  # fmt: skip
TOWN_ENDINGS = (
    "sur-Loyre", "la-Forêt", "le-Vieux", "les-Bains", "en-Plaine", "sous-Bois", "le-Haut",
    "l'Étang", "la-Tour", "les-Prés", "le-Sec", "d'Aval", "du-Gué", "la-Basse", "le-Château",
    "la-Lande",
)  # fmt: skip
PAST_FIRST_NAMES = (
    "Antoine", "Blanche", "Célestin", "Honorine", "Edmond", "Augustine", "Ferdinand", "Mathilde",
    "Gustave", "Joséphine", "Isidore", "Léontine", "Anselme", "Eugénie", "Théophile", "Adèle",
    "Barnabé", "Victorine", "Hippolyte", "Clotilde", "Firmin", "Rosalie", "Casimir", "Apolline",
)  # fmt: skip
PAST_SURNAMES = (
    "Delvaux", "Morvan", "Cormeray", "Aubier", "Lantier", "Vauclair", "Tessandier", "Rivoire",
    "Corvisy", "Montségur", "Brissolles", "Chaumeil", "Dartigues", "Espérandieu", "Fougerolle",
    "Garance", "Hautecombe", "Jolivert", "Larzillier", "Mercadal", "Nivernois", "Ostrevant",
    "Pradelles", "Quercia", "Rochetaille", "Sauvebois", "Taillandre", "Urbainot", "Valserine",
)  # fmt: skip
FAMILY = (
    "Berthelin", "Marguerite-Duval", "Armand-Corvisy", "Louise-Tessandier", "Paul-Rivoire",
    "Hélène-Aubier", "Gabriel-Montségur", "Suzanne-Lantier", "René-Vauclair", "Élise-Cormeray",
)  # fmt: skip
FIRST_NAMES = (
    "Maëlle", "Thibault", "Inès", "Bastien", "Solène", "Yanis", "Aurore", "Gaëtan", "Nadia",
    "Loïc", "Émilie", "Karim", "Clémence", "Rémi", "Fatou", "Jérôme", "Anaïs", "Hugo", "Zoé",
    "Mathis", "Léa", "Driss", "Océane", "Florian", "Héloïse", "Sofiane", "Justine", "Cédric",
    "Amandine", "Erwan", "Chloé", "Olivier", "Manon", "Tristan", "Leïla", "Benoît", "Élodie",
)  # fmt: skip

_ARTICLES = ("de la ", "de l'", "des ", "du ", "de ", "la ", "le ", "les ", "l'")
_STREET_KINDS = (
    "rue", "avenue", "boulevard", "allée", "chemin", "impasse", "place", "quai", "route", "cours",
    "venelle", "sentier", "passage", "escalier", "promenade",
)  # fmt: skip


def of_place(name: str) -> str:
    """A place's name after "de": d'Ormevert, du Breuil, des Landes, de la Borde."""
    for article, short in (("Le ", "du "), ("Les ", "des "), ("La ", "de la "), ("L'", "de l'")):
        if name.startswith(article):
            return short + name.removeprefix(article)
    return f"d'{name}" if name[0] in "AEIOUÉÈH" else f"de {name}"


def stop_name_of_street(street: str) -> str:
    """Name a stop after its street: "rue de la République" becomes "République"."""
    words = street.split(" ", 1)
    rest = words[1] if len(words) == 2 and words[0] in _STREET_KINDS else street
    for article in _ARTICLES:
        if rest.startswith(article):
            rest = rest.removeprefix(article)
            break
    return rest[:1].upper() + rest[1:]


@dataclass(slots=True)
class StreetNamer:
    """Hands out street names, none twice within one settlement."""

    rng: np.random.Generator
    used: set[str] = field(default_factory=set)

    def name(self, kind: str, *, zone: str, length_m: float, dead_end: bool = False) -> str:
        """A street name that suits the road's class, its length and its quarter."""
        old = zone in {"Centre-ville", "village"}
        for _ in range(80):
            word = self._word(kind, length_m=length_m, dead_end=dead_end, old=old)
            name = f"{word} {self._of(kind, zone=zone, old=old)}"
            if name not in self.used:
                self.used.add(name)
                return name
        name = f"rue n° {len(self.used)}"
        self.used.add(name)
        return name

    def _word(self, kind: str, *, length_m: float, dead_end: bool, old: bool) -> str:
        if kind in {"footway", "path"}:
            return "venelle" if old else "sentier"
        if kind == "steps":
            return "escalier"
        if dead_end and length_m < 260:
            return "impasse"
        if kind in {"secondary", "primary"}:
            return "avenue"
        if kind == "tertiary":
            return "avenue" if self.rng.random() < 0.6 else "boulevard"
        if old:
            return "rue" if self.rng.random() < 0.93 else "place"
        return str(self.rng.choice(["rue", "allée", "chemin"], p=[0.66, 0.22, 0.12]))

    def _of(self, kind: str, *, zone: str, old: bool) -> str:
        if zone == "activités":
            return str(self.rng.choice(TRADES))
        if kind in {"secondary", "primary", "tertiary"}:
            return str(self.rng.choice(PEOPLE))
        pools = (THINGS, PEOPLE) if old else (NATURE, NATURE, PEOPLE, THINGS)
        pick = int(self.rng.integers(len(pools) + 3))
        if pick < len(pools):
            return str(self.rng.choice(pools[pick]))
        if pick == len(pools) and not old:
            return f"du {self.rng.choice(PLOTS)}-{self.rng.choice(PLOTS_OF)}"
        return f"{self.rng.choice(PAST_FIRST_NAMES)} {self.rng.choice(PAST_SURNAMES)}"
