// Asks through the unmodified FPTF client of MOTIS, and validates what it reads against the format.
import { createClient } from '@motis-project/motis-fptf-client';
import { profile } from '@motis-project/motis-fptf-client/p/transitous/index.js';
import createValidate from 'validate-fptf';

const [from, to, stop, time] = process.argv.slice(2); // the address comes by MOTIS_BASE_URL
const client = createClient(profile, 'mobility-tests', { enrichStations: false });
const at = new Date(time);
const address = (place) => {
  const [latitude, longitude] = place.split(',').map(Number);
  return { type: 'location', address: 'here', latitude, longitude };
};
const { journeys } = await client.journeys(address(from), address(to), {
  departure: at,
  results: 5,
  tickets: true,
});
const { departures } = await client.departures(stop, { when: at, duration: 120 });
const { arrivals } = await client.arrivals(stop, { when: at, duration: 120 });
const locations = await client.locations('gare');
const reachable = await client.reachableFrom(address(from), { when: at, maxDuration: 60, accessibility: 'none' });
const found = await client.stop(stop);

// The client gives no journey an id and puts operators into lines, whatever the server says; the
// format of validate-fptf (1.2.1) wants both. Nothing else is added.
const complete = (journey, id) => ({
  id: String(id),
  ...journey,
  legs: journey.legs.map((leg) => ({ operator: leg.line?.operator ?? 'on foot', ...leg })),
});
const validate = createValidate();
const invalid = journeys.map(complete).flatMap((journey) => {
  try {
    validate(journey, 'journey');
    return [];
  } catch (error) {
    return [error.message];
  }
});
console.log(JSON.stringify({ journeys, invalid, departures, arrivals, locations, reachable, found }));
