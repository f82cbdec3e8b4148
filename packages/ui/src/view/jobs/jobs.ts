import { parseRunId, type RunRecord } from "@ojm/core";
import { hasEnded, isOwn, isPattern, matchesName, nearest, ownNameProblem, present, startMs } from "@ojm/core/internal";
import { slowdownOf, streakOf, usualOf } from "@ojm/core/internal/operator";
import { type CheckedDefinition, type ScheduleTick, wordsOf } from "@ojm/schedule";
import {
  type LiveStore,
  overdueEntry,
  type ScheduleState,
  type StoreSnapshot,
  UNATTENDED,
} from "@ojm/schedule/operator";
import type { Job, JobDetail, JobSchedule, Jobs, LastRun, Outcome, TickView, Zones } from "../../contract/types.js";
import { Refusal } from "../../security/refusal.js";
import { holdView } from "../locks.js";
import { comingTick, tickView, upcomingTicks, waitingTicks } from "../now/ticks.js";
import { itemOf, recordOf } from "../runs/items.js";
import { fitting, mapSome, masked, pick, type Source, statesIn, take } from "../source.js";
import { courseOf } from "./course.js";
import { trendsIn } from "./trends.js";

/** How many of the newest runs are read for the statistics of a job. */
const NEWEST = 50;

/** How many coming and how many decided ticks of a job are shown. */
const COMING = 10;
const TICKS = 20;

/** The same if a range of time is requested. */
const TICKS_OF_RANGE = 100;

/** The most jobs that are sorted by their trends, which are read from 15 entries each. */
const MOST_SORTED = 2_000;

/** How many ended runs are shown. */
const OUTCOMES = 30;

/** The filter of the names. */
export interface NamesQuery {
  readonly after?: string | undefined;
  /** A text that the name contains, or a pattern of the name with `*`. */
  readonly q?: string | undefined;
  readonly limit: number;
}

/** Returns a predicate: whether a text contains another one, or matches it if that has a `*`. */
export function finds(q: string | undefined): (text: string) => boolean {
  const wanted = q?.toLowerCase();
  if (wanted === undefined) return () => true;
  if (isPattern(wanted)) return (text) => matchesName(wanted, text.toLowerCase());
  return (text) => text.toLowerCase().includes(wanted);
}

/** The same for names. Names of ojm itself match only a search for them. */
export function hasText(q: string | undefined): (name: string) => boolean {
  const [isFound, ofOwn] = [finds(q), q?.toLowerCase().startsWith("ojm ") === true];
  return (name) => (ofOwn || !isOwn(name)) && isFound(name);
}

/** A shorter part of a name would be similar to too many texts. */
const SHORTEST = 4;

/** The name with runs that was most likely meant, if no name is, or contains, the requested text. */
export async function meantBy(
  { hub }: Source,
  { name, q = name }: Pick<NamesQuery, "q"> & { readonly name?: string | undefined },
): Promise<{ readonly meant?: string }> {
  if (q === undefined) return {};
  const names = [...(await hub.names())].filter(hasText(undefined));
  const longer = names.find(hasText(q));
  if (longer !== undefined) return name === undefined || names.includes(name) ? {} : { meant: longer };
  const parts = new Map(
    names.flatMap((one) => [one, ...one.split(/[^\p{L}\p{N}]+/u)].map((part) => [part, one] as const)),
  );
  const near = nearest(
    q,
    [...parts.keys()].filter((part) => part.length >= SHORTEST),
  );
  const meant = near === undefined ? undefined : parts.get(near);
  return meant === undefined ? {} : { meant };
}

/** A page of names, and whether there are more. */
export function pageOf(
  names: Iterable<string>,
  { after, q, limit }: NamesQuery,
): { readonly names: string[]; readonly more: boolean } {
  const found = [...new Set(names)]
    .filter(hasText(q))
    .filter((name) => after === undefined || name > after)
    .sort();
  return { names: found.slice(0, limit), more: found.length > limit };
}

type InState = (found: StoreSnapshot, source: Source, names: readonly string[]) => Iterable<string> | Promise<string[]>;

/** The jobs in some states. */
const IN_STATE: Readonly<Record<string, InState>> = {
  failing: ({ problems }) => problems.filter(({ kind }) => FAILED.has(kind)).map(({ name }) => name),
  paused: ({ schedules }) => schedules.flatMap(({ schedule, paused }) => (paused === undefined ? [] : [schedule.name])),
  held: ({ holds }) => [...holds.keys()],
  running: ({ runs }) => runs.map(({ name }) => name),
  slow: async ({ problems }, source, names) => {
    const { of: trends } = await trendsIn(source).of(atMostSorted(names));
    const slower = [...trends].filter(([, trend]) => slowdownOf(trend) >= SLOW);
    const long = problems.filter(({ kind }) => kind === "long");
    return [...slower.map(([name]) => name), ...long.map(({ name }) => name)];
  },
};

/** From this factor on, in comparison with the week before, a job is slow. */
const SLOW = 1.5;

const FAILED: ReadonlySet<string> = new Set(["failed", "lost", "timeout"]);

/** Those of the names that are in one of these states. */
async function inState(source: Source, states: string, names: readonly string[]): Promise<string[]> {
  const found = await source.hub.snapshot();
  const wanted = new Set<string>();
  for (const state of states.split(",")) {
    const those = Object.hasOwn(IN_STATE, state) ? IN_STATE[state] : undefined;
    const known = Object.keys(IN_STATE).join(", ");
    if (those === undefined)
      throw new Refusal("INVALID", `unknown state "${state.slice(0, 100)}": it is one of ${known}`);
    for (const name of await those(found, source, names)) wanted.add(name);
  }
  return names.filter((name) => wanted.has(name));
}

/** Those of the names whose newest run is, or was, on such a host. */
async function onHost(source: Source, host: string, names: readonly string[]): Promise<string[]> {
  const { manager, hub } = source;
  const isMeant = finds(host);
  const are = await mapSome(atMostSorted(names), (name) =>
    hub.reads.get(`host ${name}`, [name], async () => {
      const [newest] = await take(manager.history({ name, limit: 1 }), 1);
      return newest?.holder.host;
    }),
  );
  return names.filter((_, i) => isMeant(are[i] ?? ""));
}

/** @throws Refusal if there are too many jobs to read something of each */
function atMostSorted(names: readonly string[]): readonly string[] {
  if (names.length <= MOST_SORTED) return names;
  throw new Refusal(
    "INVALID",
    `at most ${MOST_SORTED} jobs can be sorted, or found by host or as slow: find fewer with q, a part of their names`,
  );
}

/** The filter of the jobs, and their order. */
export interface JobsQuery extends NamesQuery {
  readonly sort?: "slower" | undefined;
  /** Only those in one of these states, with commas between. */
  readonly state?: string | undefined;
  /** Only those whose newest run is on such a host: a text that its name contains, or a pattern with `*`. */
  readonly host?: string | undefined;
}

/** A page of the jobs. */
export async function jobsOf(source: Source, { state, host, ...asked }: JobsQuery): Promise<Jobs> {
  const [names, store] = await Promise.all([source.hub.names(), source.hub.store()]);
  // Runs that wait for a permit or a rate hold a lock of ojm.
  const locked = store.runs.locks().flatMap(({ name }) => (ownNameProblem(name) === undefined ? [name] : []));
  const everything = [...new Set([...names, ...store.scheduleNames(), ...locked])];
  const every = everything.filter(hasText(asked.q));
  const inStates = state === undefined ? every : await inState(source, state, every);
  const known = host === undefined ? inStates : await onHost(source, host, inStates);
  const page = asked.sort === undefined ? pageOf(known, asked) : await slowestFirst(source, known, asked);
  const stateOf = statesIn(store);
  const [all, { of: trends, counting }] = await Promise.all([
    mapSome(page.names, (name) => jobOf(source, name, store, stateOf(name))),
    // Without the trends of all, a list of the slow jobs is not complete.
    trendsIn(source).soon(state?.split(",").includes("slow") === true ? every : page.names),
  ]);
  const trended = all.map((job) => ({ ...job, ...present({ trend: trends.get(job.name) }) }));
  const { items: jobs, more } = fitting(trended);
  const total = everything.filter(hasText(undefined)).length;
  return { jobs, total, found: known.length, more: more || page.more, ...(counting && { counting: true }) };
}

/** A page of names, those first that became the slowest. */
async function slowestFirst(
  source: Source,
  known: readonly string[],
  { after, limit }: JobsQuery,
): Promise<ReturnType<typeof pageOf>> {
  const names = atMostSorted(known);
  const { of: trends } = await trendsIn(source).of(names);
  const slowdown = (name: string): number => {
    const trend = trends.get(name);
    return trend === undefined ? 0 : slowdownOf(trend);
  };
  const sorted = [...names].sort((a, b) => slowdown(b) - slowdown(a) || (a < b ? -1 : 1));
  const start = after === undefined ? 0 : sorted.indexOf(after) + 1;
  return { names: sorted.slice(start, start + limit), more: sorted.length > start + limit };
}

/** The range of the requested ticks, in ms since 1970; absent: the latest. */
export interface RangeQuery {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** A job with its ticks; `undefined` if the store has no run, schedule or lock of this name. */
export async function jobDetailOf(source: Source, name: string, range: RangeQuery): Promise<JobDetail | undefined> {
  const store = await source.hub.store();
  const state = statesIn(store)(name);
  const schedule = state?.schedule;
  const job = await jobOf(source, name, store, state);
  const isKnown = schedule !== undefined || job.last !== undefined || job.running !== undefined;
  // A user may hold a job before its first run.
  if (!isKnown && job.lock === undefined) return undefined;
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = range;
  const most = range.from === undefined && range.to === undefined ? TICKS : TICKS_OF_RANGE;
  // Waiting ticks must not hide the outcomes of the others.
  const limit = most + (schedule?.waiting.length ?? 0);
  const past = await source.hub.reads.get(JSON.stringify(["past", range, limit, name]), [name], async () => {
    const ticks = await take(source.scheduler.ticks(name, { ...present(range), limit }), limit);
    const decided = ticks.filter((tick) => !isWaiting(tick)).slice(0, most);
    const ran = await mapSome(decided, (tick) => ranTick(tick, source));
    return [...waitingTicks(ticks.filter(isWaiting), source), ...ran];
  });
  const next = upcomingTicks(schedule, Date.now(), COMING).filter(({ at }) => at >= from && at < to);
  const coming = next.map((tick) => comingTick(name, tick, job.unattended !== undefined));
  const late = job.overdue;
  const isShown = late !== undefined && late.until >= from && late.at < to;
  const overdue = overdueEntry(name, isShown ? late : undefined).map((tick) => tickView(tick, source));
  const ticks = [...coming, ...overdue, ...past];
  return {
    ...job,
    ...definitionOf(source, schedule?.definition()),
    ticks,
    ...(await courseOf(source, name, schedule)),
  };
}

async function ranTick(tick: ScheduleTick, source: Source): Promise<TickView> {
  const run = tick.run === undefined ? undefined : parseRunId(tick.run);
  const record = run && (await recordOf(source, run));
  return { ...tickView(tick, source), ...(record && { status: record.status }) };
}

/** The `meta` may contain secrets, like that of the runs that get it. */
function definitionOf(
  { showResults, mask }: Source,
  definition: CheckedDefinition | undefined,
): Pick<JobDetail, "definition"> {
  if (definition === undefined) return {};
  const { meta: _, ...rest } = definition;
  return { definition: masked(showResults ? definition : rest, mask) as { readonly [field: string]: unknown } };
}

const isWaiting = ({ outcome }: ScheduleTick): boolean => outcome === "waiting";

async function jobOf(source: Source, name: string, { runs }: LiveStore, state?: ScheduleState): Promise<Job> {
  const statistics = await source.hub.reads.get(`newest ${name}`, [name], async () =>
    howItGoes(await take(source.manager.history({ name, limit: NEWEST }), NEWEST), source),
  );
  const { schedule, next, unattended, overdue } = state ?? {};
  const nextRun = schedule?.nextRun(Date.now());
  const lock = runs.lock(name);
  const hold = lock && holdView(lock, source);
  return {
    name,
    ...(state && (await scheduleOf(source, state))),
    ...(next && { next: next.due, ...(next.skipped && { skipped: next.skipped }) }),
    ...(next?.skipped === "held" && { held: true as const }),
    ...(nextRun && { nextRun: nextRun.due }),
    ...(unattended && { unattended: UNATTENDED[unattended].one }),
    ...(overdue && { overdue: pick(overdue, "at", "until", "count") }),
    ...(lock && { lock: { since: lock.since, ...(hold && { hold }) } }),
    ...statistics,
  };
}

/** The statistics of a job, from its newest runs. */
function howItGoes(
  newest: readonly RunRecord[],
  source: Pick<Source, "mask">,
): Pick<Job, "last" | "lastWell" | "streak" | "rate" | "running" | "runningSince" | "usual" | "outcomes"> {
  const ended = newest.filter(hasEnded);
  const well = ended.filter(({ status }) => status === "completed");
  const running = newest.find(({ status }) => status === "running");
  const [last] = ended;
  const streak = streakOf(newest);
  const usual = usualOf(newest);
  return {
    ...(newest[0]?.trigger === "queue" && { queue: true as const }),
    ...(last && {
      last: lastOf(last, source),
      ...(streak !== 0 && { streak }),
      rate: ended.filter(({ inError }) => inError !== true).length / ended.length,
    }),
    ...(well[0] && { lastWell: well[0].endTime ?? well[0].startTime }),
    ...(running && { running: running.id, runningSince: startMs(running.startTime) }),
    ...(usual && { usual }),
    outcomes: ended
      .slice(0, OUTCOMES)
      // Ms that no reader can see double the length of the compressed list.
      .map(({ status, duration = 0 }): Outcome => [status, Number(duration.toPrecision(3))])
      .reverse(),
  };
}

const lastOf = (record: RunRecord, source: Pick<Source, "mask">): LastRun =>
  pick(itemOf(record, source), "id", "status", "startTime", "endTime", "duration", "error");

/** The time zone of a schedule. */
const zoneOf = ({ timeZone = "UTC" }: CheckedDefinition): string => timeZone;

async function scheduleOf({ mask }: Source, { schedule, paused }: ScheduleState): Promise<Pick<Job, "schedule">> {
  const definition = schedule.definition();
  if (definition === undefined) return {};
  const { cron } = definition;
  const shown: JobSchedule = {
    words: await wordsOf(definition),
    timeZone: zoneOf(definition),
    ...pick(definition, "every"),
    ...(cron !== undefined && { cron: mask(cron) }),
    ...(paused && { paused: masked(pick(paused, "at", "until", "reason", "by"), mask) }),
  };
  return { schedule: shown };
}

/** The time zones of the schedules, by name. */
export async function readZones({ hub }: Source): Promise<Zones["zones"]> {
  const store = await hub.store();
  return store
    .scheduleNames()
    .sort()
    .flatMap((name) => {
      const definition = store.schedule(name)?.definition();
      return definition === undefined ? [] : [{ name, timeZone: zoneOf(definition) }];
    });
}

/** A page of the zones. It includes schedules of ojm itself, which have pages too. */
export function zonesOf(all: Zones["zones"], { after, limit }: NamesQuery): Zones {
  const rest = all.filter(({ name }) => after === undefined || name > after);
  const { items: zones, more } = fitting(rest, limit);
  return { zones, more };
}
