// Plans a trip with the unmodified MOTIS client against the server given as the first argument.
import { client, geocode, health, plan, stoptimes } from '@motis-project/motis-client';

const [baseUrl, fromPlace, toPlace, time] = process.argv.slice(2);
client.setConfig({ baseUrl });
const planned = await plan({ query: { fromPlace, toPlace, time, withFares: true } });
const found = await geocode({ query: { text: 'gare' } });
const stop = found.data.find((match) => match.type === 'STOP');
const board = await stoptimes({ query: { stopId: stop.id, time, n: 5 } });
const alive = await health();
console.log(
  JSON.stringify({
    planStatus: planned.response.status,
    plan: planned.data,
    geocode: found.data,
    stoptimes: board.data,
    health: alive.response.status,
    errors: [planned.error, found.error, board.error].filter(Boolean),
  }),
);
