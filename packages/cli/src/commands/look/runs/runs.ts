import { type HistoryOptions, type JobManager, parseRunId, type RunRecord, type RunStatus } from "@ojm/core";
import { isOwn, optionWord } from "@ojm/core/internal";
import { lastValue, optionalOperand } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { countOption, rangeOptions } from "../../../command-line/units.js";
import { CommandError } from "../../../errors.js";
import { colorOf } from "../../../output/color.js";
import { hostColumn } from "../../../output/hosts.js";
import { type Column, itemsText, tellMore } from "../../../output/items.js";
import { print } from "../../../output/print.js";
import { type SayTime, sayAttempt, sayTime, sayTook, timesOf } from "../../../output/times.js";
import { neverRan } from "../../../store/find-run.js";
import { refuseUnknown } from "../../../store/known-names.js";
import { withStore } from "../../../store/open.js";
import { byNameText, trouble } from "./by-name.js";

const LIMIT = 20;
const IN_ERROR: readonly RunStatus[] = ["failed", "timeout", "cancelled", "lost"];

/** Shows the last runs, newest first. */
export async function execute(given: Given): Promise<number> {
  const name = optionalOperand(given);
  return withStore(given, async (manager) => {
    if (name !== undefined) await refuseUnknown(manager, name, true);
    const options = { ...filters(given), ...(name !== undefined && { name }) };
    print(await (given.flags.has("by-name") ? byNameText : runsText)(given, manager, options));
  });
}

/** The most runs that are shown. */
export function limitOf(given: Given): number {
  return countOption(given, "limit") ?? LIMIT;
}

function filters(given: Given): Omit<HistoryOptions, "name"> & { readonly limit: number } {
  const before = lastValue(given, "before");
  if (before !== undefined && parseRunId(before) === undefined)
    throw new CommandError(
      `--before takes the id of a run, such as "report@2026-11-25T02:00:00.000Z", not "${before}"`,
    );
  const limit = limitOf(given);
  // A user wanted a cancelled run to end: it does not belong in a list of failing jobs.
  const failed = given.flags.has("by-name") ? IN_ERROR.filter((one) => one !== "cancelled") : IN_ERROR;
  if (given.flags.has("failed") && given.values["status"] !== undefined)
    throw new CommandError("--failed and --status both say which runs: give one of them");
  const status = given.flags.has("failed") ? failed : (given.values["status"] as RunStatus[] | undefined);
  return {
    limit,
    ...rangeOptions(given),
    ...(before !== undefined && { before }),
    ...(status !== undefined && { status }),
  };
}

/** The runs that the options choose. */
export async function runsText(
  given: Given,
  manager: JobManager,
  options: HistoryOptions & { readonly name?: string },
): Promise<string> {
  const say = sayTime(given);
  const all: RunRecord[] = [];
  const { name, limit = LIMIT, ...others } = options;
  const asked = name === undefined ? others : { name, ...others };
  for await (const run of manager.history(asked)) {
    if (name === undefined && isOwn(run.name)) continue;
    all.push(run);
    if (all.length > limit) break;
  }
  const runs = all.slice(0, limit);
  const isWhole = Object.keys(others).length === 0;
  // The text about a name without runs reads the names of the store.
  const isUnrun = name !== undefined && isWhole && runs.length === 0;
  const none = isUnrun ? await neverRan(manager, name) : isWhole ? "no runs yet" : "no such runs";
  const last = runs.at(-1);
  const next =
    last === undefined || given.command !== "runs"
      ? ""
      : `, and ${optionWord("--before", last.id)} the next page${name === undefined && isFlooded(runs) ? ". --by-name shows each name once" : ""}`;
  tellMore(given, all.length > limit, limit, next);
  return itemsText(given, runs, columns(say, runs, timesOf(given) === "iso"), none);
}

/** Whether one name has more than half of the rows. */
function isFlooded(runs: readonly RunRecord[]): boolean {
  const counts = new Map<string, number>();
  for (const { name } of runs) counts.set(name, (counts.get(name) ?? 0) + 1);
  return runs.length > 2 && Math.max(...counts.values()) > runs.length / 2;
}

/** Longer ids would leave no room for the rest. */
const LONGEST_ID = 44;

/**
 * Attempts and ticks have columns if a run has one: they show which of two runs is a retry. Hosts have one if
 * a run is of another machine. With `isIso`, the
 * name and the start form the id; otherwise the id itself is shown, to copy it into the next command.
 */
function columns(say: SayTime, runs: readonly RunRecord[], isIso: boolean): Column<RunRecord>[] {
  const hasIds = !isIso && runs.every(({ id }) => id.length <= LONGEST_ID);
  const ofAttempts: Column<RunRecord> = { title: "ATTEMPT", rank: 5, cell: sayAttempt };
  const ofTicks: Column<RunRecord> = { title: "TICK", rank: 6, cell: ({ tick }) => say(tick) };
  return [
    { title: "RUN", cut: "name", cell: ({ id, name }) => (hasIds ? id : name) },
    { title: "STARTED", rank: 2, cell: ({ startTime }) => say(startTime) },
    { title: "STATUS", rank: 1, cell: ({ status }) => status, color: ({ status }) => colorOf(status) },
    ...(runs.some(({ attempt }) => attempt !== undefined) ? [ofAttempts] : []),
    { title: "TOOK", rank: 4, cell: sayTook },
    ...(runs.some(({ tick }) => tick !== undefined) ? [ofTicks] : []),
    ...hostColumn(runs, 4.5, ({ holder }) => holder.host),
    { title: "FENCE", rank: 7, cell: ({ fence }) => fence },
    { title: "ERROR OR WARNING", rank: 3, cut: "text", cell: trouble },
  ];
}
