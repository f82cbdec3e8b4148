import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { programArgs } from "@ojm/testing/programs";
import { onTestFinished } from "vitest";

/** A child process of a test. Killed when the test is over, whatever happened. */
export interface Child {
  readonly process: ChildProcess;
  /** Its output so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves to the exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Resolves to the next message that it sent. */
  message<T>(): Promise<T>;
}

/** Calls a function when a test is over. A test that runs beside others passes that of its context. */
export type WhenOver = typeof onTestFinished;

/** Starts a script of the folder children/, with an IPC channel. */
export function startChild(script: string, args: readonly string[], over?: WhenOver): Child {
  const node = programArgs(new URL(`./children/${script}`, import.meta.url));
  return watchChild(spawn(process.execPath, [...node, ...args], { stdio: ["ignore", "pipe", "pipe", "ipc"] }), over);
}

/** Collects the output of a process, and kills it when the test is over. */
export function watchChild(child: ChildProcess, over: WhenOver = onTestFinished): Child {
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
  });
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  over(() => void child.kill("SIGKILL"));
  const message = async <T>(): Promise<T> => {
    const gone = ended.then((code) => {
      throw new Error(`the child ended (${code}) without a message:\n${output.stderr}`);
    });
    const [value] = (await Promise.race([once(child, "message"), gone])) as [T];
    return value;
  };
  return { process: child, output, ended, message };
}
