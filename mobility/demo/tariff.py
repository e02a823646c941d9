"""The tariff of the generated territory, as the YAML file it is written to."""

TARIFF_YAML = """\
# Tarif généré par Mobility : aucun rapport avec un réseau réel.
tariff: demo-valmont
currency: EUR
timezone: Europe/Paris
fare_day_cutover: "04:00"  # la journée tarifaire finit avec le service de nuit

# Prix d'un trajet, par mode.
leg_prices:
  # Train : une prise en charge, puis 9 centimes par kilomètre, 12 € au plus.
  - id: rail
    when: {mode: rail}
    base_cents: 180
    per_km_millicents: 9000
    max_cents: 1200
  # Autocar départemental : prix unique.
  - id: coach
    when: {mode: coach}
    base_cents: 220
  # Bus et tramway : prix unique.
  - id: urban
    when: {mode: [bus, tram]}
    base_cents: 150
  # Covoiturage : participation aux frais, 8 centimes par kilomètre.
  - id: carpool
    when: {mode: carpool}
    per_km_millicents: 8000
    min_cents: 50
    max_cents: 300

  # Vélo en libre-service : la première demi-heure est offerte, puis 5 centimes par minute.
  - id: bike
    when: {mode: bike}
    per_min_millicents: 5000
    free_min: 30

# Correspondances : un seul ticket pendant une heure.
fare_journeys:
  window_min: 60
  modes: [bus, tram, coach]

# Profils : sur justificatif daté, une part du prix.
categories:
  - {id: jeune, permille: 500}

# Forfaits choisis après coup, s'ils sont moins chers : jamais plus de 4,20 € par jour,
# 15 € pour sept jours de suite, 42 € par mois.
products:
  - id: day
    period: fare_day
    modes: [bus, tram, coach]
    price_cents: 420
  - id: week
    period: rolling_7d
    modes: [bus, tram, coach]
    price_cents: 1500
    is_subscription: true
  - id: month
    period: calendar_month
    modes: [bus, tram, coach]
    price_cents: 4200
    is_subscription: true

# Qui paie une part : l'employeur la moitié des abonnements, le forfait mobilités durables la
# moitié du covoiturage et du vélo jusqu'à 600 € par an. Chacun sur justificatif daté.
payers:
  - {id: employer, only_subscriptions: true, share_permille: 500}
  - {id: mobility, modes: [carpool, bike], share_permille: 500, max_year_cents: 60000}
"""
