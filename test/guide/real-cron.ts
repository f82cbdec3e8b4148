import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ojm } from "../../packages/cli/src/testing/ojm.js";
import { withClockAt } from "./faketime.js";

/**
 * How long before the tick a process starts, in ms. If it takes longer to be ready, it is started again,
 * earlier.
 */
const LEADS = [15_000, 30_000, 60_000, 120_000, 240_000];

/** A tick without effect after this time, in ms, was missed: the process was not ready. */
const MISSED = 60_000;

/** A job file that is run unchanged, past a tick of one of its schedules. */
export interface Scene {
  /** The printed text. */
  readonly text: string;
  /** Defines the functions that the text leaves out. */
  readonly functions?: string;
  /** When the schedule is due, in ISO 8601. */
  readonly tick: string;
  /** The first log line that the tick causes. */
  readonly began: string;
  /** The text in the error output once everything that the tick causes is done. */
  readonly ended: string;
  /** The folder of an earlier scene, whose files this one uses. */
  readonly folder?: string;
}

/** The result of a scene. */
export interface Past {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly folder: string;
  /** The messages of the log lines. */
  readonly log: readonly string[];
  /** How long after its tick the schedule was seen to fire, in ms, by the clock of the process. */
  readonly late: number;
}

const folders = new Set<string>();

/** Removes what the scenes left behind. */
export function clearFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/**
 * Runs a scene with a wall clock that starts some seconds before the tick, until the tick has been handled.
 * Ends it by SIGTERM.
 */
export async function runPast(scene: Scene): Promise<Past> {
  for (const lead of LEADS) {
    const past = await attempt(scene, lead);
    if (past !== undefined) return past;
  }
  throw new Error(`nothing was seen of the tick of ${scene.tick}, however early the process was started`);
}

async function attempt({ text, functions = "", ...scene }: Scene, lead: number): Promise<Past | undefined> {
  const folder = scene.folder ?? mkdtempSync(join(tmpdir(), "ojm-cron-"));
  folders.add(folder);
  writeFileSync(join(folder, "jobs.yaml"), text);
  writeFileSync(join(folder, "functions.js"), functions);
  const tick = Date.parse(scene.tick);
  const ojm = new Ojm(folder, ["run", "jobs.yaml", "--load", "functions.js"], withClockAt(tick - lead));
  const began = (): boolean => ojm.out.includes(scene.began);
  const missed = performance.now() + lead + MISSED;
  const over = (): boolean => ojm.process.exitCode !== null || (!began() && performance.now() > missed);
  while (!ojm.err.includes(scene.ended) && !over()) await new Promise((resolve) => setTimeout(resolve, 20));
  const early = ojm.process.exitCode !== null;
  ojm.process.kill("SIGTERM");
  const { code, out, err } = await ojm.ended;
  if (!early && !out.includes(scene.began)) return undefined;
  const lines = [...out.matchAll(/^(\S+Z) \| [A-Z]+ *\| (.*)/gm)].map(([, time = "", message = ""]) => ({
    time,
    message,
  }));
  const first = lines.find(({ message }) => message.includes(scene.began));
  const late = Date.parse(first?.time ?? "") - tick;
  return { code, out, err, folder, log: lines.map(({ message }) => message), late };
}
