import { readSync } from "node:fs";
import { thread } from "../thread.js";

const LINE_END = 0x0a;

/** Reads a line of the standard input; `undefined` at its end. Only this script waits. */
function readLine(): string | undefined {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  for (;;) {
    let count = 0;
    try {
      count = readSync(0, one, 0, 1, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EAGAIN" && code !== "EOF") throw error;
      if (code === "EAGAIN") {
        // A non-blocking terminal has no line yet.
        thread.sleep(50);
        continue;
      }
    }
    if (count === 0 && bytes.length === 0) return undefined;
    if (count === 0 || one[0] === LINE_END) return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
    bytes.push(one[0] ?? 0);
  }
}

/** Asks for a line. Fails if no input is left: a job without a person at its terminal must not guess. */
export function ask(prompt: unknown = "> "): string {
  thread.printnl(String(prompt));
  const line = readLine();
  if (line === undefined)
    throw new Error(`there is no answer to "${String(prompt)}": the standard input is at its end`);
  return line;
}

/** The value, or else the answer to a question. With `isVoidable`, no answer is `undefined`. */
export function askDef(
  value: unknown,
  question: unknown = "Question: ",
  _isSecret?: unknown,
  isVoidable?: unknown,
): unknown {
  if (value !== undefined) return value;
  const answer = ask(question);
  return isVoidable && answer === "" ? undefined : answer;
}

/** Asks for lines until a function returns true for all of them; by default until two are empty. */
export function askN(
  prompt: string | ((text: string) => string),
  isEnd: (text: string) => unknown = (text) => /\n\n\n$/.test(text),
): string {
  let text = "";
  do text += `${ask(typeof prompt === "function" ? prompt(text) : prompt)}\n`;
  while (!isEnd(text));
  return text;
}
