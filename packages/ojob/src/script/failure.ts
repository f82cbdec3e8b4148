import type { FailureData } from "./protocol.js";

/** An error, or whatever else was thrown, as it travels between threads. */
export function toFailure(thrown: unknown): FailureData {
  if (!isError(thrown)) return { name: "", message: wordsFor(thrown) };
  const { name, message, stack, code } = thrown as Error & { code?: unknown };
  return {
    name: String(name ?? "Error"),
    message: String(message ?? ""),
    ...(typeof stack === "string" && { stack }),
    ...(typeof code === "string" && { code }),
  };
}

/** Errors of another realm (a module run in `vm`) are no `instanceof` of ours. */
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || (typeof thrown === "object" && thrown !== null && "message" in thrown);
}

function wordsFor(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  try {
    return JSON.stringify(thrown);
  } catch {
    return String(thrown);
  }
}

/** What a failure says, in one line. The name is left out where it says nothing. */
export function failureText({ name, message }: FailureData): string {
  const plain = name === "" || name === "Error" || /^[a-z]/.test(name) || PLAIN.has(name);
  if (message === "") return name || "an error without a message";
  return plain ? message : `${name}: ${message}`;
}

/** Errors of ours: their messages are whole sentences. */
const PLAIN: ReadonlySet<string> = new Set(["RunError", "ChannelError", "JobError", "StopError", "JobFileError"]);

/** An error out of what came from the other thread. Its stack begins where it is made: at the call that failed. */
export function fromFailure(failure: FailureData): Error {
  const error = new Error(failure.message);
  if (failure.name !== "" && failure.name !== "Error") error.name = failure.name;
  return failure.code === undefined ? error : Object.assign(error, { code: failure.code });
}
