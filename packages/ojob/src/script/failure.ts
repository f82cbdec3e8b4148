import { types } from "node:util";
import type { FailureData } from "./protocol.js";

/** Converts an error, or any other thrown value, to data that can be sent between threads. */
export function toFailure(thrown: unknown): FailureData {
  if (!isError(thrown)) return { name: "", message: wordsFor(thrown), thrown: { value: thrown } };
  const { name, message, stack, code } = thrown as Error & { code?: unknown };
  const cause = causeText(thrown);
  return {
    name: String(name ?? "Error"),
    message: String(message ?? ""),
    ...(typeof stack === "string" && { stack }),
    ...(typeof code === "string" && { code }),
    ...(cause !== undefined && { cause }),
  };
}

/** The longest text of a cause, in characters. */
const LONGEST_CAUSE = 300;

/** The text of an error's cause. An error about several attempts to connect has only a code. */
function causeText({ cause }: Error): string | undefined {
  if (!isError(cause)) return undefined;
  const { message, code, errors } = cause as Error & { code?: unknown; errors?: readonly unknown[] };
  const [first] = Array.isArray(errors) ? errors.filter(isError) : [];
  const text = String(message || first?.message || code || "");
  return text === "" ? undefined : text.slice(0, LONGEST_CAUSE);
}

/** An error of another realm (a module run in `vm`) is not an `instanceof` our Error. */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || types.isNativeError(thrown);
}

function wordsFor(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  try {
    return JSON.stringify(thrown);
  } catch {
    return String(thrown);
  }
}

/** The message of a failure and of its cause, in one line. The name is omitted where it adds nothing. */
export function failureText({ name, message, cause = "" }: FailureData): string {
  const plain = name === "" || name === "Error" || /^[a-z]/.test(name) || PLAIN.has(name);
  // Many errors repeat the message of their cause.
  const because = cause === "" || message.includes(cause) ? "" : `: ${cause}`;
  if (message === "") return `${name || "an error without a message"}${because}`;
  return `${plain ? message : `${name}: ${message}`}${because}`;
}

/** Our own errors: their messages are whole sentences. */
const PLAIN: ReadonlySet<string> = new Set(["RunError", "ChannelError", "JobError", "StopError", "JobFileError"]);

/** Makes an error from a failure of the other thread. Its stack starts here, at the call that failed. */
export function fromFailure(failure: FailureData): Error {
  const error = new Error(failure.message);
  if (failure.name !== "" && failure.name !== "Error") error.name = failure.name;
  return failure.code === undefined ? error : Object.assign(error, { code: failure.code });
}
