import type { LimitWaiter } from "@ojm/core";
import { limitsText, visible } from "@ojm/core/internal";
import { optionalOperand } from "../../../command-line/parse.js";
import type { Given } from "../../../command-line/spec.js";
import { type Column, printItems } from "../../../output/items.js";
import { print, wantsJson } from "../../../output/print.js";
import { sayProgress } from "../../../output/progress.js";
import { oneLine } from "../../../output/table.js";
import { sayAttempt, sayTime } from "../../../output/times.js";
import { storeWords, withStore } from "../../../store/open.js";
import { tellOrphans } from "../../exec/orphans.js";
import { type Coming, comingOf, refuseIfNone, sayComing } from "../retry-series.js";
import {
  orphaned,
  type Running,
  running,
  sayElapsed,
  sayStopRequest,
  sayWaited,
  sayWaiters,
  sayWhere,
} from "./running.js";

const sayLimited = ({ name, since, ...limits }: LimitWaiter): string =>
  `${visible(name)} waits for ${limitsText(limits)}${sayWaited(since)}`;

/** A job that waits for its next attempt, as JSON lists it after the running ones. */
export interface WaitingJob extends Coming {
  readonly status: "waiting";
}

/** A run that waits for permits or a rate, as JSON lists it last. */
export interface WaitingRun extends LimitWaiter {
  readonly status: "waiting";
}

/** Shows the runs in progress. */
export async function execute(given: Given): Promise<number> {
  const name = optionalOperand(given);
  if (given.flags.has("watch")) return (await import("./watch.js")).watch(given);
  const say = sayTime(given);
  const columns: Column<Running>[] = [
    { title: "RUN", cut: "name", cell: ({ name }) => name },
    { title: "WHERE", rank: 4, cut: "text", cell: sayWhere },
    { title: "SINCE", rank: 5, cell: ({ startTime }) => say(startTime) },
    { title: "ELAPSED", rank: 1, cell: sayElapsed },
    { title: "PROGRESS", rank: 2, cut: "text", cell: ({ progress }) => progress && sayProgress(progress) },
    { title: "ATTEMPT", rank: 6, cell: sayAttempt },
    { title: "WAITING", rank: 3, cell: ({ waiting }) => (waiting === 0 ? "" : String(waiting)) },
    { title: "FENCE", cell: ({ fence }) => fence },
  ];
  const ofAsked: Column<Running> = {
    title: "ASKED TO STOP",
    rank: 0.5,
    cut: "text",
    cell: ({ stopRequest }) => stopRequest && sayStopRequest(stopRequest, say),
    color: () => "yellow",
  };
  const ofLock: Column<Running> = { title: "LOCK", rank: 3.5, cut: "name", cell: ({ lock }) => lock };
  return withStore(given, async (manager) => {
    const locks = await manager.heldLocks();
    const { runs, orphans } = await orphaned(manager, locks);
    const isMeant = (one: { readonly name: string }): boolean => name === undefined || one.name === name;
    const shown = [...(await running(manager, locks)), ...runs].filter(isMeant);
    const limited = (await manager.limitWaiters()).filter(isMeant);
    await refuseIfNone(manager, name, [...shown, ...limited]);
    const coming = await comingOf(manager, name);
    if (wantsJson(given)) {
      const waiting = coming.map(({ name, ...more }): WaitingJob => ({ name, status: "waiting", ...more }));
      const behind = limited.map(({ name, ...more }): WaitingRun => ({ name, status: "waiting", ...more }));
      return printItems<Running | WaitingJob | WaitingRun>(given, [...shown, ...waiting, ...behind], [], "");
    }
    const isAsked = shown.some(({ stopRequest }) => stopRequest !== undefined);
    const hasOther = shown.some(({ lock }) => lock !== undefined);
    await printItems(
      given,
      shown,
      [...columns, ...(hasOther ? [ofLock] : []), ...(isAsked ? [ofAsked] : [])],
      // Names the store: the message would also be true of the wrong store.
      name === undefined ? `nothing runs in ${await storeWords(given)}` : `"${name}" does not run`,
    );
    tellOrphans(given, orphans.filter(isMeant));
    const lines = [
      ...shown.flatMap(sayWaiters),
      ...coming.map((one) => sayComing(one, say)),
      ...limited.map(sayLimited),
    ];
    print(lines.map((line) => `${oneLine(line)}\n`).join(""));
  });
}
