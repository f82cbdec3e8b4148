import { signal } from "@preact/signals";
import { post } from "../api/call.js";
import type { ActAnswer, ActName, ActRequest, HoldView, Job, ManyAnswer, ManyResult, RunPage } from "../api/types.js";
import { may } from "../app/me.js";
import type { State } from "../format/states.js";
import type { IconName } from "../parts/icon.js";

/** The texts and the fields of an action. */
export interface Act {
  readonly label: string;
  readonly icon: IconName;
  /** The title of its dialog, and what it does, to whom. */
  title(name: string): string;
  does(target: Target): string;
  /** Whether it affects the work of others. */
  readonly danger?: boolean;
  /** What it may have besides a reason: when it ends by itself, a range of time, or parameters of the run. */
  readonly field?: "until" | "range" | "args" | "maintenance";
}

/** The subject of an action. */
export interface Target {
  readonly name: string;
  /** The jobs, if there are several. The name is then how many, in words. */
  readonly names?: readonly string[];
  /** With `names`: they are ids of runs. */
  readonly runs?: boolean;
  /** With `cancel`: the running run. */
  readonly run?: string | undefined;
  /** Where it runs, if that is known. */
  readonly where?: string | undefined;
  /** With `end-hold`: who holds it, and why. */
  readonly hold?: HoldView | undefined;
  /** With `cancel`: the pending attempt, if no run is running. `run`: the first run of its retry series. */
  readonly attempt?: number | undefined;
  /** The name is that of a queue. `item`: the item that is meant. `error`: the key of a group of errors. */
  readonly queue?: { readonly item?: string; readonly error?: string; readonly dead?: number } | undefined;
  /** With `run-now`: the parameters of the run that is repeated, or `last` for those of the last run. */
  readonly again?: { readonly args: ActRequest["args"] } | "last" | undefined;
}

/** All actions, without a target. */
export const ACTS: Readonly<Record<ActName, Act>> = {
  "run-now": {
    label: "Run now",
    icon: "play",
    field: "args",
    title: (name) => `Run ${name} now`,
    does: ({ name }) => `Asks a running scheduler to run ${name} once. The run waits for the lock like any other run.`,
  },
  cancel: {
    label: "Cancel run",
    icon: "cancelled",
    danger: true,
    title: (name) => `Cancel the run of ${name}`,
    does: ({ name, where }) =>
      `Asks the process that runs ${name}${where === undefined ? "" : ` (${where})`} to stop. The record then shows that it was cancelled, and by whom.`,
  },
  hold: {
    label: "Hold",
    icon: "held",
    field: "until",
    title: (name) => `Hold ${name}`,
    does: ({ name }) =>
      `Nothing runs ${name} until the hold ends, by schedule or by hand. A run in progress must end first.`,
  },
  "end-hold": {
    label: "End hold",
    icon: "unlock",
    title: (name) => `End the hold of ${name}`,
    does: ({ name, hold }) => {
      const { author, reason } = hold ?? {};
      const whose = `${author === undefined ? "" : ` of ${author}`}${reason === undefined ? "" : ` (${reason})`}`;
      return `Ends the hold${whose}: nothing keeps ${name} from running any more. It stops no run.`;
    },
  },
  pause: {
    label: "Pause schedule",
    icon: "paused",
    field: "until",
    title: (name) => `Pause ${name}`,
    does: ({ name }) => `The ticks of ${name} are skipped until the pause ends. A run in progress continues.`,
  },
  resume: {
    label: "Resume schedule",
    icon: "resume",
    title: (name) => `Resume ${name}`,
    does: ({ name }) => `The ticks of ${name} run again, from the next one on.`,
  },
  backfill: {
    label: "Backfill",
    icon: "backfill",
    field: "range",
    title: (name) => `Backfill ${name}`,
    does: ({ name }) => `Runs the ticks of ${name} that did not run in a range of time, one after the other.`,
  },
  "stop-backfill": {
    label: "Stop backfill",
    icon: "cancelled",
    title: (name) => `Stop the backfill of ${name}`,
    does: ({ name }) => `The remaining ticks of ${name} are not run. A run in progress continues.`,
  },
  unlock: {
    label: "Force unlock",
    icon: "unlock",
    danger: true,
    title: (name) => `Force unlock ${name}`,
    does: ({ name, where }) =>
      `Takes the lock of ${name} away${where === undefined ? "" : ` from ${where}`}. If that process is still working, the job may run twice at once. Check that process first.`,
  },
  maintenance: {
    label: "Start maintenance",
    icon: "held",
    danger: true,
    field: "maintenance",
    title: () => "Start maintenance",
    does: () =>
      "No tick and no queue item starts until it ends, in any process. Pauses of single jobs stay. When it ends, the missed rule of each schedule decides its late ticks.",
  },
  "end-maintenance": {
    label: "End maintenance",
    icon: "resume",
    title: (name) => (name === "*" ? "End maintenance" : `End maintenance of ${name}`),
    does: () =>
      "The missed rule of each schedule decides its late ticks at once: by default, only the newest one runs.",
  },
  "queue-pause": {
    label: "Pause queue",
    icon: "paused",
    field: "until",
    title: (name) => `Pause ${name}`,
    does: ({ name }) => `Workers take no items of ${name} until the pause ends. Active items continue.`,
  },
  "queue-resume": {
    label: "Resume queue",
    icon: "resume",
    title: (name) => `Resume ${name}`,
    does: ({ name }) => `Workers take items of ${name} again.`,
  },
  "queue-retry": {
    label: "Retry",
    icon: "retry",
    title: (name) => `Retry in ${name}`,
    does: (target) => `Puts ${subjectOf(target)} back into the queue, with all attempts.`,
  },
  "queue-discard": {
    label: "Discard",
    icon: "close",
    danger: true,
    title: (name) => `Discard in ${name}`,
    does: (target) => `Deletes ${subjectOf(target)} for good, with the data.`,
  },
};

/**
 * An action that was taken, or another change, as a state. A newer process may have actions that these pages
 * do not know.
 */
export function actionState(action: string): State {
  const words = action.replaceAll("-", " ");
  const unknown = { label: `${words.charAt(0).toUpperCase()}${words.slice(1)}`, icon: "info", danger: false } as const;
  const { label, icon, danger } = Object.hasOwn(ACTS, action) ? ACTS[action as ActName] : unknown;
  return { tone: danger === true ? "failed" : "quiet", icon, word: label };
}

/** What an action on the items of a queue is about. */
const subjectOf = ({ name, queue: { item, dead = 0 } = {} }: Target): string =>
  item === undefined
    ? `${dead === 1 ? "1 dead letter" : `${dead} dead letters`} of ${name}`
    : `the item ${item} of ${name}`;

/** An action for a target. */
export function actOf(name: ActName, { attempt, again, queue, names, runs = false }: Target): Act {
  if (names !== undefined) {
    // Each run may need other parameters.
    const { field, ...act } = ACTS[name];
    if (name === "cancel")
      return {
        ...{ ...act, label: "Cancel", title: (all) => (runs ? `Cancel ${all}` : `Cancel the runs of ${all}`) },
        does: () =>
          "Asks the processes of these runs to stop. The records then show that they were cancelled, and by whom.",
      };
    if (name === "run-now") {
      const isAgain = runs || again !== undefined;
      const withArgs = isAgain ? `, with the parameters of its ${runs ? "selected" : "last"} run` : "";
      return {
        ...act,
        ...(isAgain && { label: runs ? "Run again" : "Run all again", title: (jobs) => `Run ${jobs} again` }),
        does: () => `Asks a running scheduler to run each job once${withArgs}.`,
      };
    }
    return { ...act, ...(field === "until" && { field }) };
  }
  if (queue !== undefined && queue.item === undefined && (name === "queue-retry" || name === "queue-discard"))
    return { ...ACTS[name], label: `${ACTS[name].label} all` };
  if (name === "run-now" && again !== undefined)
    return { ...ACTS["run-now"], label: "Run again", title: (job) => `Run ${job} again` };
  if (name !== "cancel" || attempt === undefined) return ACTS[name];
  return {
    ...ACTS.cancel,
    label: `Cancel attempt ${attempt}`,
    title: (job) => `Cancel attempt ${attempt} of ${job}`,
    does: ({ name: job }) =>
      `Attempt ${attempt} of ${job} does not start, and no other attempt follows. A schedule continues with its next tick.`,
  };
}

/** The action whose dialog is open. */
export const asked = signal<{ readonly act: ActName; readonly target: Target } | undefined>(undefined);

/** Opens the dialog of an action. */
export function ask(act: ActName, target: Target): void {
  asked.value = { act, target };
}

/** How many names one request has, so that its user sees how far it is, and of how many bytes. */
const AT_ONCE = 8;
const MOST_BYTES = 8_000;

/** The first of the names, as many as one request may have. */
function partOf(names: readonly string[], most: number): readonly string[] {
  const part = names.slice(0, most);
  const bytes = (): number => new TextEncoder().encode(JSON.stringify(part)).length;
  while (part.length > 1 && bytes() > MOST_BYTES) part.length = Math.ceil(part.length / 2);
  return part;
}

/** Performs the action on several names, part by part, until the end or until `report` returns false. */
export async function performMany(
  act: ActName,
  names: readonly string[],
  request: ActRequest,
  report: (results: readonly ManyResult[]) => boolean,
): Promise<void> {
  for (let rest = names; rest.length > 0; ) {
    const part = partOf(rest, request.dryRun === true ? 1_000 : AT_ONCE);
    const { results } = await post<ManyAnswer>(`many/${act}`, { ...request, names: part });
    if (!report(results)) return;
    rest = rest.slice(part.length);
  }
}

/** Performs the action, or with `dryRun` reports what it would do. */
export async function perform(act: ActName, target: Target, request: ActRequest): Promise<ActAnswer> {
  const { name, run, queue } = target;
  if (act === "maintenance") return post<ActAnswer>("maintenance/on", request);
  if (act === "end-maintenance") return post<ActAnswer>("maintenance/off", { ...request, names: name });
  if (act.startsWith("queue-")) {
    const { item, error } = queue ?? {};
    const path = `queues/${encodeURIComponent(name)}${item === undefined ? "" : `/items/${encodeURIComponent(item)}`}`;
    const body = error === undefined ? request : { ...request, error };
    return post<ActAnswer>(`${path}/${act.replace("queue-", "")}`, body);
  }
  const path =
    act === "cancel" && run !== undefined ? `runs/${encodeURIComponent(run)}` : `jobs/${encodeURIComponent(name)}`;
  return post<ActAnswer>(`${path}/${act}`, request);
}

/** An action that is shown, even while it is not possible: a moving button makes users misclick. */
export interface Offer {
  readonly act: ActName;
  /** Why it is not possible now, as a sentence. */
  readonly no?: string;
}

/** The actions on a job, in an order that does not depend on its state. */
export function offersOf({ schedule, queue, running, unattended, lock }: Job): readonly Offer[] {
  const ofSchedule: readonly Offer[] = [
    offer("run-now", noRun(unattended, lock?.hold !== undefined)),
    offer(schedule?.paused === undefined ? "pause" : "resume"),
    offer("backfill"),
  ];
  return allowed([
    ...(schedule === undefined ? [] : ofSchedule),
    // A hold does not stop the items of a queue.
    offer(lock?.hold !== undefined ? "end-hold" : queue && schedule === undefined ? "queue-pause" : "hold"),
    offer("cancel", running === undefined ? "Nothing is running." : undefined),
    offer("unlock", noUnlock(lock)),
  ]);
}

/** A run on request needs a living process that makes it, and a lock that no user holds. */
function noRun(unattended: string | undefined, isHeld: boolean): string | undefined {
  if (unattended !== undefined) return "No process runs its schedule.";
  return isHeld ? "It is on hold: nothing runs it until the hold ends." : undefined;
}

/** The action to run the job of a run again. */
export function offersAgain({ run, job: { scheduled, unattended, held } }: RunPage): readonly Offer[] {
  const no = scheduled
    ? noRun(unattended, held === true)
    : "The job has no schedule, so no process can run it on request. Start it where this run was started.";
  return allowed([offer("run-now", run.status === "running" ? "This run is still running." : no)]);
}

/** Why there is no lock to take from a process. */
function noUnlock(lock: Job["lock"]): string | undefined {
  if (lock === undefined) return "Its lock is free.";
  return lock.hold === undefined ? undefined : "It is on hold, and no process has its lock: end the hold instead.";
}

/** The actions on a run, or on the holder of a lock. `no`: why none of them is possible any more. */
export const offersOfRun = (no?: string): readonly Offer[] => allowed([offer("cancel", no), offer("unlock", no)]);

/** The actions that are possible now. */
export const possible = (offers: readonly Offer[]): readonly ActName[] =>
  offers.filter(({ no }) => no === undefined).map(({ act }) => act);

/** An action, and why it is not possible now. */
export const offer = (act: ActName, no?: string): Offer => ({ act, ...(no !== undefined && { no }) });

/** The actions that the user may take. */
export const allowed = (offers: readonly Offer[]): readonly Offer[] => offers.filter(({ act }) => may(act));
