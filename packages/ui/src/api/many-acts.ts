import { parseRunId } from "@ojm/core";
import { isPattern, maintenanceText, matchesName, present } from "@ojm/core/internal";
import { cancelUnder, runsUnder } from "@ojm/core/internal/operator";
import type { Endpoint } from "../contract/endpoint.js";
import {
  type MaintenanceRequest,
  type ManyRequest,
  maintenanceRequestSchema,
  manyRequestSchema,
} from "../contract/requests.js";
import type { ManyAnswer, ManyResult } from "../contract/types.js";
import { Refusal, refusalOf } from "../security/refusal.js";
import { queuesIn } from "../view/queues.js";
import { recordOf } from "../view/runs/items.js";
import { mapSome, type Source } from "../view/source.js";
import { checkFuture, doings, iso } from "./acts.js";
import type { Handler } from "./read.js";

const ACTS = ["run-now", "pause", "resume", "hold", "end-hold", "cancel"] as const;
type ManyAct = (typeof ACTS)[number];

/** The most names of one request: more would keep the store busy for too long. */
const MOST = 2_000;

/** The endpoints that change several jobs for one reason. */
export const manyEndpoints: readonly Endpoint[] = [
  ...ACTS.map(
    (act): Endpoint => ({
      ...{ id: `many-${act}`, method: "POST", path: `/api/v1/many/${act}`, role: "operate" },
      ...{ summary: `Take the action ${act} on several jobs`, body: manyRequestSchema, answer: "many" },
    }),
  ),
  ...(["on", "off"] as const).map(
    (which): Endpoint => ({
      ...{ id: `maintenance-${which}`, method: "POST", path: `/api/v1/maintenance/${which}`, role: "operate" },
      summary: which === "on" ? "Let no tick and no item begin" : "End a maintenance",
      ...{ body: maintenanceRequestSchema, answer: "act" },
    }),
  ),
];

/** The handlers of the endpoints that change several jobs. */
export function manyHandlers(source: Source): Readonly<Record<string, Handler>> {
  const many = ACTS.map((act): [string, Handler] => [
    `many-${act}`,
    async ({ body, viewer, address }) =>
      eachOf(source, act, { ...(body as ManyRequest), author: `${viewer.user} (${address})` }),
  ]);
  const maintenance =
    (change: typeof maintenanceOn): Handler =>
    async ({ body, viewer, address }) => {
      const request = body as MaintenanceRequest;
      const done = await change(source, { ...request, author: `${viewer.user} (${address})` });
      return { done: source.mask(done), ...(request.dryRun === true && { dryRun: true as const }) };
    };
  return {
    ...Object.fromEntries(many),
    "maintenance-on": maintenance(maintenanceOn),
    "maintenance-off": maintenance(maintenanceOff),
  };
}

type Authored<T> = T & { readonly author: string };

/** Takes the action on each name, several at once. One that fails does not keep the others from it. */
async function eachOf(source: Source, act: ManyAct, { names, ...request }: Authored<ManyRequest>): Promise<ManyAnswer> {
  checkFuture(request.until);
  const found = await namesOf(source, act, names);
  const results = await mapSome(found, async (name): Promise<ManyResult> => {
    try {
      const of = parseRunId(name);
      // A job may have a name that looks like the id of a run.
      const record = act === "run-now" && of !== undefined ? await recordOf(source, of) : undefined;
      const one = record === undefined ? { name } : { name: record.name, ...present({ args: record.args }) };
      const { done, run } = await doings[act](source, { ...request, ...one });
      source.hub.touch(of?.name ?? name);
      return { name, done: source.mask(done), ...(run !== undefined && { run }) };
    } catch (error) {
      const refusal = refusalOf(error, source.mask);
      // The store is away: the other names would fail in the same way.
      if (refusal.code === "AWAY") throw error;
      return { name, error: refusal.message };
    }
  });
  return { results, ...(request.dryRun === true && { dryRun: true as const }) };
}

/** The names that were given, and for each pattern those that the action can be taken on. */
async function namesOf(source: Source, act: ManyAct, given: readonly string[]): Promise<string[]> {
  const known = given.some(isPattern) ? await candidates(source, act) : [];
  const found = new Set(
    given.flatMap((word) => {
      if (!isPattern(word) || known.some(({ id }) => id === word)) return [word];
      return known.filter(({ name }) => matchesName(word, name)).map(({ id }) => id);
    }),
  );
  if (found.size === 0)
    throw new Refusal("NOT_FOUND", `this action applies to nothing that matches ${given.join(", ").slice(0, 300)}`);
  if (found.size > MOST) throw new Refusal("INVALID", `${found.size} names are too many at once: at most ${MOST}`);
  return [...found].sort();
}

async function candidates({ hub }: Source, act: ManyAct): Promise<{ readonly name: string; readonly id: string }[]> {
  const store = await hub.store();
  const named = (names: Iterable<string>) => [...new Set(names)].map((name) => ({ name, id: name }));
  if (act === "hold") return named([...(await hub.names()), ...store.scheduleNames()]);
  if (act === "end-hold") return named(store.runs.holds().keys());
  if (act !== "cancel") return named(store.scheduleNames());
  return [...store.runs.runs(), ...store.retries().map(({ name, chain: id }) => ({ name, id }))];
}

async function maintenanceOn(
  source: Source,
  { names = "*", reason, author, until, cancel, dryRun }: Authored<MaintenanceRequest>,
): Promise<string> {
  const { manager, hub } = source;
  checkFuture(until);
  const store = await hub.store();
  const isMeant = (name: string): boolean => matchesName(names, name);
  const [queues, runs] = await Promise.all([queuesIn(source, isMeant), runsUnder(manager, names)]);
  const schedules = count(store.scheduleNames().filter(isMeant).length, "schedule");
  const also = queues.length === 0 ? "" : ` and ${count(queues.length, "queue")}`;
  const what = `${names === "*" ? "everything" : names} (${schedules}${also})`;
  const end = until === undefined ? "until it is ended" : `until ${iso(until)}`;
  const going = `${count(runs.length, "run")} in progress`;
  if (dryRun === true)
    return `would start maintenance of ${what} ${end}: ${going}${cancel === true ? ", to be stopped" : ""}`;
  await manager.startMaintenance({ names, reason, author, ...(until !== undefined && { until }) });
  const stopped = cancel === true ? await cancelUnder(manager, names, { reason, author }) : undefined;
  return `maintenance of ${what} ${end}. ${stopped === undefined ? going : `${count(stopped.length, "run")} asked to stop`}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

async function maintenanceOff(
  { manager }: Source,
  { names, reason, author, dryRun }: Authored<MaintenanceRequest>,
): Promise<string> {
  const meant = (await manager.maintenance()).filter((one) => names === undefined || one.names === names);
  if (meant.length === 0) throw new Refusal("NOT_FOUND", "no maintenance is active");
  const texts = meant.map(maintenanceText).join("; ");
  if (dryRun === true) return `would end the ${texts}`;
  await manager.endMaintenance({ reason, author, ...(names !== undefined && { names }) });
  return `ended the ${texts}`;
}
