import type { JobManager, RunRecord } from "@ojm/core";
import { recordAt, startAfter } from "@ojm/core/internal";
import type { OverdueTicks, ScheduleView } from "@ojm/schedule";
import type { Unattended } from "@ojm/schedule/operator";

/** How many runs of a job are read to find its streak. */
const NEWEST = 50;

/** Up to which tick each schedule was judged, by its name. */
export type Judged = ReadonlyMap<string, number>;

/** The input of a check. */
export interface CheckInput {
  readonly records: Records;
  readonly now: number;
  /** Up to which tick this process has judged each schedule. */
  readonly judged: Judged;
}

/** The reads of one check. Reads that several rules need happen once. */
export class Records {
  readonly manager: JobManager;
  readonly #newest: Map<string, Promise<readonly RunRecord[]>> = new Map();
  #running: Promise<RunRecord[]> | undefined;
  #schedules: Promise<readonly ScheduleView[]> | undefined;
  #unattended: Promise<(schedule: ScheduleView) => Unattended | undefined> | undefined;

  constructor(manager: JobManager) {
    this.manager = manager;
  }

  /** The schedules of the store, as of the first call. */
  schedules(): Promise<readonly ScheduleView[]> {
    this.#schedules ??= schedulesOf(this.manager);
    return this.#schedules;
  }

  /**
   * Why a tick of a schedule is overdue, in the words of the problem: no scheduler is alive, or those that
   * are have not decided on it. The schedulers are read only if a tick is overdue.
   */
  async whyOverdue(schedule: ScheduleView, overdue: OverdueTicks): Promise<string | undefined> {
    const { attendanceIn, attendanceText } = await loadOperator();
    this.#unattended ??= attendanceIn(this.manager);
    return attendanceText((await this.#unattended)(schedule), overdue);
  }

  running(): Promise<RunRecord[]> {
    this.#running ??= this.manager.openRecords();
    return this.#running;
  }

  one(name: string, startTime: number): Promise<RunRecord | undefined> {
    return recordAt(this.manager, { name, startTime });
  }

  /** How many runs in a row, up to this one, ended with a status in `errors`. */
  async streak({ name, startTime }: RunRecord, errors: ReadonlySet<string>): Promise<number> {
    const newest = (await this.#newestOf(name)).filter((record) => record.startTime <= startTime);
    const isEnough = newest.some(({ status }) => status === "completed");
    const row = isEnough ? newest : await this.#before(name, startAfter(startTime));
    const end = row.findIndex(({ status }) => status === "completed");
    const ended = withoutFollowed(row.slice(0, end < 0 ? row.length : end));
    return ended.filter(({ status }) => errors.has(status)).length;
  }

  /** The newest completed run of those that started between two times. */
  async recovery(
    name: string,
    after: number,
    before: number = Number.POSITIVE_INFINITY,
  ): Promise<RunRecord | undefined> {
    const newest = await this.#newestOf(name);
    return newest.find(({ status, startTime }) => status === "completed" && startTime > after && startTime < before);
  }

  #newestOf(name: string): Promise<readonly RunRecord[]> {
    const known = this.#newest.get(name) ?? this.#before(name);
    this.#newest.set(name, known);
    return known;
  }

  async #before(name: string, to?: number): Promise<readonly RunRecord[]> {
    const records: RunRecord[] = [];
    const range = { name, limit: NEWEST, ...(to !== undefined && { to }) };
    for await (const record of this.manager.history(range)) records.push(record);
    return records;
  }
}

let operator: Promise<typeof import("@ojm/schedule/operator")> | undefined;

/** Loads, once, the module that finds overdue ticks. */
export function loadOperator(): NonNullable<typeof operator> {
  operator ??= import("@ojm/schedule/operator");
  return operator;
}

/** The package of the schedules is loaded only if a rule reports ticks. */
async function schedulesOf(manager: JobManager): Promise<readonly ScheduleView[]> {
  const [{ schedulesIn }] = await Promise.all([import("@ojm/schedule"), loadOperator()]);
  const all: ScheduleView[] = [];
  for await (const view of schedulesIn(manager)) all.push(view);
  return all;
}

/** Leaves out runs that a later attempt followed: a retry series counts once. */
function withoutFollowed(runs: readonly RunRecord[]): RunRecord[] {
  const known = new Set(runs.map((run) => `${run.attempt ?? 1} ${chainOf(run)}`));
  return runs.filter((run) => !known.has(`${(run.attempt ?? 1) + 1} ${chainOf(run)}`));
}

/** The id of the first run of a retry series. */
export function chainOf({ chain, id }: Pick<RunRecord, "chain" | "id">): string {
  return chain ?? id;
}
