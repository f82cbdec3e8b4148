import type { CancelOptions } from "@ojm/core";
import { ojmCommand } from "@ojm/core/internal";
import { operandOf } from "../../command-line/parse.js";
import type { Given } from "../../command-line/spec.js";
import { spanOption } from "../../command-line/units.js";
import { EXIT, notFound } from "../../errors.js";
import { done } from "../../output/print.js";
import { findRun } from "../../store/find-run.js";
import { withStore } from "../../store/open.js";
import { outlived } from "../exec/orphans.js";
import { author, reasonOf } from "./reason.js";

/** Asks a run to stop and waits for its end, or ends a retry series that waits for its next attempt. */
export async function execute(given: Given): Promise<number> {
  const word = operandOf(given, "a run: its id, the beginning of one, or the name of a job");
  const wait = spanOption(given, "wait");
  const isDry = given.flags.has("dry-run");
  return withStore(given, async (manager) => {
    const run = await findRun(manager, word);
    const who = `${run.id} on ${run.holder.host}, pid ${run.holder.pid}`;
    // The one of its series, or of the job that `word` names.
    const retries = run.status === "running" ? [] : await manager.retries(run.name);
    const next = retries.find(({ chain }) => word === run.name || chain === (run.chain ?? run.id));
    const options = async (): Promise<CancelOptions> => {
      const reason = await reasonOf(given, `cancel ${word}`);
      return { reason, author: author(), ...(wait !== undefined && { wait }) };
    };
    if (next !== undefined) {
      const attempt = `attempt ${next.attempt} of ${next.retry.attempts} of "${run.name}", due ${new Date(next.due).toISOString()}`;
      if (isDry) return done(given, `would cancel ${attempt}`, { dryRun: true, run, next });
      const outcome = await manager.cancel(next.chain, await options());
      if (!outcome.requested) throw notFound(`${attempt} was made or cancelled by another process at this moment`);
      const end = outcome.ended ? "Neither it nor a later attempt begins" : "It is asked not to begin";
      return done(given, `cancelled ${attempt}. ${end}`, outcome);
    }
    if (run.status !== "running")
      throw notFound(`${run.id} does not run: it is ${run.status}${await outlived(manager, run.name)}`);
    if (isDry) return done(given, `would cancel ${who}`, { dryRun: true, run });
    const outcome = await manager.cancel(run.id, await options());
    if (!outcome.requested) throw notFound(`${run.id} does not run any more`);
    // The run may have ended by itself at this moment.
    const status = outcome.run?.status ?? "over";
    const end = status === "cancelled" ? "" : `: it is ${status}`;
    if (outcome.ended) return done(given, `cancelled ${who}${end}`, outcome);
    const help = `To take its lock: ${ojmCommand("unlock", run.name, "--reason …")}`;
    done(given, `asked ${who} to stop, and it still runs. ${help}`, outcome);
    return EXIT.running;
  });
}
