import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { brokenLine } from "../report/lines.js";
import { brokenRow } from "../report/table.js";
import { nodeArgs } from "./entry.js";
import type { Done, Task } from "./task.js";

/**
 * Runs all cells, `jobs` at a time, each in a lane: a process that runs one cell after the other. Calls
 * `tell` when a cell is done.
 */
export async function inLanes(jobs: number, tasks: readonly Task[], tell: (done: Done) => void): Promise<void> {
  const left = tasks.values();
  const lanes = Array.from({ length: Math.min(jobs, tasks.length) }, () => oneLane(left, tell));
  await Promise.all(lanes);
}

async function oneLane(left: Iterator<Task>, tell: (done: Done) => void): Promise<void> {
  let lane: ChildProcess | undefined;
  for (let next = left.next(); next.done !== true; next = left.next()) {
    // A lane that ended took only its own cell with it: start a new one for the rest.
    if (lane === undefined || !lane.connected) lane = startLane();
    tell(await runIn(lane, next.value));
  }
  if (lane?.connected) lane.disconnect();
}

function startLane(): ChildProcess {
  return spawn(process.execPath, nodeArgs("lane"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
}

async function runIn(lane: ChildProcess, task: Task): Promise<Done> {
  const over = new AbortController();
  const { signal } = over;
  try {
    const answered = once(lane, "message", { signal }).then(([done]) => done as Done);
    const ended = once(lane, "exit", { signal }).then(([code, by]): Done => {
      const why = `the process of its harness ended with ${code ?? by}`;
      return { text: brokenLine(task, why), row: brokenRow(task, why) };
    });
    lane.send(task);
    return await Promise.race([answered, ended]);
  } finally {
    over.abort();
  }
}
