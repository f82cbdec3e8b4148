import type { CancelOptions, JobManager } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import type { Given } from "../../command-line/spec.js";
import { spanOption } from "../../command-line/units.js";
import { EXIT, notFound } from "../../errors.js";
import { findRun } from "../../store/find-run.js";
import { changeEach, type Done, namesOf } from "../../store/names.js";
import { withStore } from "../../store/open.js";
import { outlived } from "../exec/orphans.js";
import { author, reasonOf } from "./reason.js";

/** Asks runs to stop and waits for their end, or ends retry series that wait for their next attempt. */
export async function execute(given: Given): Promise<number> {
  const wait = spanOption(given, "wait");
  return withStore(given, async (manager) => {
    let active: ReadonlyMap<string, readonly string[]> = new Map();
    const what = "a run: its id, the beginning of one, or the name of a job";
    const { names, isOne } = await namesOf(given, what, async () => {
      active = await activeRuns(manager);
      return active.keys();
    });
    const words = names.flatMap((name) => active.get(name) ?? [name]);
    const only = isOne ? await cancelOf(manager, words[0] ?? "") : undefined;
    const runs = { names: words, isOne, text: words.length === 1 ? (words[0] ?? "") : `${words.length} runs` };
    const each = async (word: string): Promise<Cancel> => only ?? cancelOf(manager, word);
    if (given.flags.has("dry-run")) return changeEach(given, runs, async (word) => (await each(word)).dry);
    const reason = await reasonOf(given, `cancel ${runs.text}`);
    const options = { reason, author: author(), ...(wait !== undefined && { wait }) };
    return changeEach(given, runs, async (word) => (await each(word)).cancel(options));
  });
}

/** The ids of the active runs of each job, or its name if it waits for its next attempt. */
async function activeRuns(manager: JobManager): Promise<ReadonlyMap<string, readonly string[]>> {
  const ids = new Map<string, string[]>();
  for (const { name, id } of await manager.openRecords()) ids.set(name, [...(ids.get(name) ?? []), id]);
  for (const { name } of await manager.retries()) if (!ids.has(name)) ids.set(name, [name]);
  return ids;
}

/** The cancel of a run or of a retry series: what it would do, and how. */
interface Cancel {
  readonly dry: Done;
  cancel(options: CancelOptions): Promise<Done>;
}

async function cancelOf(manager: JobManager, word: string): Promise<Cancel> {
  const run = await findRun(manager, word);
  // The one of its series, or of the job that `word` names.
  const retries = run.status === "running" ? [] : await manager.retries(run.name);
  const next = retries.find(({ chain }) => word === run.name || chain === (run.chain ?? run.id));
  if (next !== undefined) {
    const attempt = `attempt ${next.attempt} of ${next.retry.attempts} of "${run.name}", due ${new Date(next.due).toISOString()}`;
    return {
      dry: { text: `would cancel ${attempt}`, item: { dryRun: true, run, next } },
      cancel: async (options) => {
        const outcome = await manager.cancel(next.chain, options);
        if (!outcome.requested) throw notFound(`${attempt} was made or cancelled by another process at this moment`);
        const end = outcome.ended ? "Neither it nor a later attempt begins" : "It is asked not to begin";
        return { text: `cancelled ${attempt}. ${end}`, item: outcome };
      },
    };
  }
  if (run.status !== "running")
    throw notFound(`${run.id} does not run: it is ${run.status}${await outlived(manager, run.name)}`);
  const who = `${run.id} on ${run.holder.host}, pid ${run.holder.pid}`;
  return {
    dry: { text: `would cancel ${who}`, item: { dryRun: true, run } },
    cancel: async (options) => {
      const outcome = await manager.cancel(run.id, options);
      if (!outcome.requested) throw notFound(`${run.id} does not run any more`);
      // The run may have ended by itself at this moment.
      const status = outcome.run?.status ?? "over";
      const end = status === "cancelled" ? "" : `: it is ${status}`;
      if (outcome.ended) return { text: `cancelled ${who}${end}`, item: outcome };
      const help = `To take its lock: ${ojmCommand("unlock", run.name, "--reason …")}`;
      return { text: `asked ${who} to stop, and it still runs. ${help}`, item: outcome, code: EXIT.running };
    },
  };
}
