import { type JobManager, type JobManagerOptions, openJobManager } from "@ojm/core";
import { systemClock } from "@ojm/core/backend";
import { type Item, openQueues } from "@ojm/queue";
import { openScheduler, type Scheduler } from "@ojm/schedule";
import { expect, vi } from "vitest";
import { openUi } from "../create-ui.js";
import type { RequestSource, Role, Ui, UiOptions } from "../types.js";

/** A UI on a store in memory. The header `X-Role` sets its viewer. */
export interface TestUi extends AsyncDisposable {
  readonly manager: JobManager;
  readonly scheduler: Scheduler;
  readonly ui: Ui;
  /** Sends a request as a page of the server would. */
  send(method: string, path: string, options?: Sending): Promise<Response>;
  /** The JSON of a GET. */
  get<T>(path: string): Promise<T>;
  /** The JSON of an action, and its status. */
  act(path: string, body: object, role?: Role): Promise<{ readonly status: number; readonly body: never }>;
}

/** Adds items to a queue whose handler fails with this text. Resolves to the ids of the dead letters. */
export async function addDead(manager: JobManager, queue: string, texts: readonly string[]): Promise<string[]> {
  await using queues = openQueues(manager);
  await queues.define(queue, { attempts: 1 });
  const ids: string[] = [];
  for (const text of texts) ids.push((await queues.add(queue, { text }, { meta: { text } })).id);
  const dead = async (): Promise<boolean> => {
    const states = await Promise.all(ids.map(async (id) => (await queues.item(queue, id))?.state));
    return states.every((state) => state === "dead");
  };
  const fail = ({ data }: Item<{ readonly text: string }>): never => {
    throw new Error(data.text);
  };
  await queues.work(queue, fail, { concurrency: texts.length });
  await vi.waitFor(async () => expect(await dead()).toBe(true), { timeout: 60_000 });
  return ids;
}

/** How a request is sent. */
export interface Sending {
  readonly role?: Role | "none";
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly from?: RequestSource;
}

/** Opens a UI. The caller disposes of it. */
export async function openTestUi(
  options: Partial<UiOptions> & { readonly channels?: JobManagerOptions } = {},
): Promise<TestUi> {
  const { channels = {}, ...more } = options;
  // A store in memory belongs to a clock: each test has its own.
  const clock = { ...systemClock };
  const manager = await openJobManager({ heartbeatThread: false, clock, ...channels });
  const scheduler = openScheduler(manager, { clock });
  const ui = openUi({
    manager,
    scheduler,
    authorize: (request) => {
      const role = request.headers.get("X-Role") ?? "none";
      return role === "none" ? undefined : { user: "ana", role: role as Role };
    },
    ...more,
  });
  const send = (method: string, path: string, sending: Sending = {}): Promise<Response> =>
    ui.fetch(requestOf(method, path, sending), sending.from ?? { address: "10.1.2.3" });
  return {
    manager,
    scheduler,
    ui,
    send,
    get: async <T>(path: string) => (await (await send("GET", path)).json()) as T,
    act: async (path, body, role = "admin") => {
      const response = await send("POST", path, { body, role });
      return { status: response.status, body: (await response.json()) as never };
    },
    [Symbol.asyncDispose]: async () => {
      await ui.close();
      await scheduler.close();
      await manager.close();
    },
  };
}

function requestOf(method: string, path: string, { role = "admin", headers = {}, body, signal }: Sending): Request {
  const all: Readonly<Record<string, string | undefined>> = {
    Host: "localhost:7717",
    "X-Role": role,
    ...(method !== "GET" &&
      method !== "HEAD" && { "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin" }),
    ...headers,
  };
  const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return new Request(`http://localhost:7717${path}`, {
    method,
    headers: given,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}
