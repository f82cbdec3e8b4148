import { spawn } from "node:child_process";
import { durationText } from "@ojm/core/backend";
import type { InMs } from "@ojm/core/internal";
import type { Outcome, SendOptions } from "../deliver/outcome.js";
import type { Alert, CommandReceiver } from "../types.js";
import { codeOf } from "./http.js";

const DEADLINE = 30_000;

/** Runs a program with the alert on its standard input. Exit code 0 means that it took the alert. */
export function sendCommand(to: InMs<CommandReceiver>, alert: Alert, { signal }: SendOptions): Promise<Outcome> {
  const { command, deadline = DEADLINE } = to;
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const late = AbortSignal.timeout(deadline);
    // The output of the program is discarded, so that a full pipe cannot block it.
    const child = spawn(program, args, {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, OJM_ALERT_ID: alert.id, OJM_ALERT_KIND: alert.kind },
      signal: AbortSignal.any([signal, late]),
      killSignal: "SIGKILL",
    });
    child.on("error", (error) => {
      if (late.aborted) resolve({ type: "refused", why: `the command took longer than ${durationText(deadline)}` });
      else if (signal.aborted) resolve({ type: "later", why: "the delivery was stopped" });
      else resolve({ type: "refused", why: `the command could not be run${codeOf(error)}` });
    });
    child.on("exit", (code, killedBy) => {
      if (code === 0) resolve({ type: "taken" });
      else if (!late.aborted) resolve({ type: "refused", why: `the command ended with ${code ?? killedBy}` });
    });
    // A program that does not read its input has not failed.
    child.stdin.on("error", () => {});
    child.stdin.end(`${JSON.stringify(alert)}\n`);
  });
}
