import { join } from "node:path";
import {
  type Backend,
  type Clock,
  type Commit,
  type CommitOutcome,
  type StoredEntry,
  systemClock,
} from "@ojm/core/backend";
import { temporaryFolder } from "@ojm/testing/folder";
import type DatabaseClass from "better-sqlite3";
import { expect, onTestFinished } from "vitest";
import { backend } from "../index.js";
import { Database } from "./driver.js";

/** The path of a database that does not exist yet. */
export function temporaryFile(): string {
  return join(temporaryFolder(), "test.db");
}

/** Opens a file, and closes it after the test. */
export async function openFile(file: string, clock: Clock = systemClock, args: object = {}): Promise<Backend> {
  const opened = await backend.open({ file, ...args }, { clock });
  onTestFinished(() => opened.close());
  return opened;
}

/** Opens a file with plain SQLite, as another program would. Closed after the test. */
export function openRaw(file: string): DatabaseClass.Database {
  const db = new Database(file, { timeout: 5_000 });
  onTestFinished(() => {
    db.close();
  });
  return db;
}

/** A clock that moves only when the test advances it. */
export class TestClock implements Clock {
  wall = 1_700_000_000_000;
  mono = 1_000_000;

  readonly now = (): number => this.wall;
  readonly monotonic = (): number => this.mono;
  readonly after: Clock["after"] = systemClock.after;
  readonly random: Clock["random"] = systemClock.random;

  /** Lets time pass on both clocks. */
  pass(ms: number): void {
    this.wall += ms;
    this.mono += ms;
  }
}

export function put(key: string, value: string, ttl?: number): Commit {
  return { checks: [], writes: [ttl === undefined ? { key, value } : { key, value, ttl }] };
}

export function remove(key: string): Commit {
  return { checks: [], writes: [{ key, value: null }] };
}

/** Replaces the value of a key that is at `version`; `null`: that is absent. */
export function swap(key: string, version: string | null, value: string): Commit {
  return { checks: [{ key, version }], writes: [{ key, value }] };
}

export function versionOf(outcome: CommitOutcome): string {
  if (!outcome.ok) throw new Error("the commit was refused");
  return outcome.version;
}

export async function get(opened: Backend, key: string): Promise<StoredEntry | undefined> {
  return (await opened.read([key]))[0];
}

/** All keys. */
export const EVERYTHING = { from: "", to: "\u{10ffff}" };

/** Polls `read`, however slow the machine is: `await eventually(() => x).toBe(1)`. */
export function eventually<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { interval: 2, timeout: 50_000 });
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("did not reject");
}
