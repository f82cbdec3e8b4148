import { thread } from "../thread.js";
import { readStandardInput } from "./streams.js";

const LINE_END = 0x0a;

/** Reads a line of the standard input; `undefined` at its end. Only this script waits. */
function readLine(): string | undefined {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  let count = readStandardInput(one);
  if (count === 0) return undefined;
  for (; count > 0 && one[0] !== LINE_END; count = readStandardInput(one)) bytes.push(one[0] ?? 0);
  return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
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
