import type { RunStatus } from "@ojm/core";
import { durationText } from "@ojm/core/backend";
import { isStatus } from "@ojm/core/internal";
import * as v from "valibot";
import type { Endpoint, Parameter } from "../contract/endpoint.js";
import { Refusal } from "../security/refusal.js";
import type { Place } from "../static/base-path.js";
import type { Viewer } from "../types.js";

const MOST_BYTES = 16_384;

/** How long a body may take to arrive, in ms. */
const BODY_DEADLINE = 10_000;

/** The latest instant that a `Date` can represent. */
const LAST_INSTANT = 8_640_000_000_000_000;

/** A request, after all checks. */
export interface ApiRequest {
  readonly request: Request;
  readonly endpoint: Endpoint;
  readonly viewer: Viewer;
  /** The session that limits the streams of a viewer. */
  readonly session: string;
  readonly place: Place;
  readonly address: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: unknown;
}

/** The parameters of a query. Each is checked when it is read. */
export class Query {
  readonly #search: URLSearchParams;

  /** @throws Refusal for an unknown parameter */
  constructor(search: URLSearchParams, { query = {} }: Endpoint) {
    this.#search = search;
    for (const name of this.#search.keys()) {
      if (!Object.hasOwn(query, name)) throw new Refusal("INVALID", `unknown parameter "${name.slice(0, 100)}"`);
    }
  }

  text(name: string): string | undefined {
    const value = this.#search.get(name);
    return value === null || value === "" ? undefined : value;
  }

  texts(name: string): string[] {
    return this.#search.getAll(name);
  }

  count(name: string): number | undefined {
    const value = this.text(name);
    return value === undefined ? undefined : countOf(name, value);
  }

  counts(name: string): number[] {
    return this.texts(name).map((value) => countOf(name, value));
  }

  time(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const time = Number(value);
    if (Number.isInteger(time) && Math.abs(time) <= LAST_INSTANT) return time;
    throw new Refusal("INVALID", `${name} is a time in ms since 1970, not "${value.slice(0, 100)}"`);
  }

  statuses(name: string): RunStatus[] | undefined {
    return this.text(name)
      ?.split(",")
      .map((one) => {
        if (isStatus(one)) return one;
        throw new Refusal("INVALID", `unknown status "${one.slice(0, 100)}"`);
      });
  }

  /** The number of items: the `limit` or the default, at most that of a page. */
  limit(usual: number, most: number): number {
    return Math.min(most, Math.max(1, this.count("limit") ?? usual));
  }
}

function countOf(name: Parameter["text"], value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new Refusal("INVALID", `${name} is a whole number from 0 up, not "${value.slice(0, 100)}"`);
}

/** The body of a request, checked by the schema of its endpoint. */
export async function bodyOf(request: Request, { body: schema }: Endpoint): Promise<unknown> {
  if (schema === undefined) return undefined;
  const text = await textOf(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal("INVALID", "the body is not JSON");
  }
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return output;
  throw new Refusal("INVALID", sayIssue(issues[0], "entries" in schema ? Object.keys(schema.entries as object) : []));
}

/** What a value of a body must be, by the check that it failed. */
const EXPECTED: Readonly<Record<string, string>> = {
  strict_object: "an object",
  string: "a text",
  number: "a number",
  boolean: "true or false",
  safe_integer: "a whole number",
  min_value: "a number from 0 up",
};

function sayIssue(issue: v.BaseIssue<unknown>, known: readonly string[]): string {
  const { type, expected, received, requirement } = issue;
  const path = v.getDotPath(issue);
  const what = path === null ? "the body" : `"${path.slice(0, 100)}" of the body`;
  if (path !== null && expected === "never")
    return `the body has no field "${path.slice(0, 100)}": it has ${known.join(", ")}`;
  if (path !== null && received === "undefined") return `${what} is missing`;
  if (type === "min_length") return `${what} is empty`;
  if (type === "max_length") return `${what} is longer than ${requirement} characters`;
  return `${what} must be ${EXPECTED[type] ?? expected}, and not ${received.slice(0, 100)}`;
}

async function textOf(request: Request): Promise<string> {
  const tooLong = (): never => {
    throw new Refusal("INVALID", `the body is longer than ${MOST_BYTES} bytes`);
  };
  if (Number(request.headers.get("Content-Length") ?? 0) > MOST_BYTES) tooLong();
  const reader = request.body?.getReader();
  if (reader === undefined) return "";
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `the body did not end within ${durationText(BODY_DEADLINE)}`;
    timer = setTimeout(() => reject(new Refusal("INVALID", text)), BODY_DEADLINE);
  });
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return text + decoder.decode();
      size += value.length;
      if (size > MOST_BYTES) tooLong();
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    clearTimeout(timer);
    // The rest is ignored. A client that sends it byte by byte must not keep the request open.
    void reader.cancel().catch(() => {});
  }
}
