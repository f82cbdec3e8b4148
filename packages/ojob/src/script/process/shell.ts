import type { FailureData } from "../protocol.js";
import type { ScriptHost } from "../thread.js";
import { ChildGroup } from "./child.js";

/** How a script wants a shell command to run. */
export interface ShellOptions {
  readonly directory?: string;
  readonly stdin?: string;
  /** Hide the output of the command. */
  readonly quiet?: boolean;
}

/** The result of a shell command. */
export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitcode: number;
}

/** A command that a script runs and waits for. */
export class ShellCommand {
  readonly #group: ChildGroup;
  readonly #quiet: boolean;

  /** `grace` is how long it has to end after it was told to, in ms. */
  constructor(command: string, { directory, stdin, quiet = false }: ShellOptions, grace: number) {
    const folder = directory === undefined ? {} : { folder: String(directory) };
    const input = stdin === undefined ? {} : { input: String(stdin) };
    this.#group = new ChildGroup({ command: "sh", parameters: ["-c", command], ...folder, ...input }, grace);
    this.#quiet = quiet;
  }

  /** Runs the command to its end. */
  async run(host: Pick<ScriptHost, "print" | "call">): Promise<ShellResult> {
    const written = { stdout: "", stderr: "" };
    const { code, signal, error } = await this.#group.run({
      line: (text, toError, last) => {
        written[toError ? "stderr" : "stdout"] += text;
        if (!this.#quiet) host.print(last ? `${text}\n` : text, toError);
      },
      room: async () => void (await host.call("room", [])),
    });
    if (error !== undefined) throw new Error(`the command cannot be started: ${error.message}`);
    // A shell reports a signal as an exit code above 128.
    return { ...written, exitcode: code ?? (signal === null ? 1 : 128) };
  }

  stop(): void {
    this.#group.stop();
  }

  end(why: FailureData): void {
    this.#group.end(why);
  }
}
