import type { IncomingMessage, ServerResponse } from "node:http";
import type { JobManager } from "@ojm/core";
import type { Scheduler } from "@ojm/schedule";
import type { Role } from "./contract/types.js";

export type { Role };

/** A user of the UI, and what that user may do. */
export interface Viewer {
  /** The name, for the audit. */
  readonly user: string;
  /**
   * `read` only reads. `operate` also runs now, cancels, holds, pauses, resumes, backfills, and retries items
   * of queues. `admin` also takes locks by force, and discards items of queues.
   */
  readonly role: Role;
}

/** A reason that keeps a job from running and that is not in the store. */
export interface OtherReason {
  /** The name of the job. */
  readonly name: string;
  /**
   * `orphaned`: a command of a run that has ended is still running. `refused`: starts were rejected since the
   * last run.
   */
  readonly code: "orphaned" | "refused";
  readonly text: string;
  /** What to do, as text. */
  readonly help?: string;
  /** The id of the run that it concerns. */
  readonly run?: string;
  /** Whether it blocks new runs until it is over. */
  readonly keeps?: boolean;
}

/** How a UI reads a store, and what it shows. */
export interface ViewOptions {
  /** The manager of the store. The caller owns it, and closes it after the UI. */
  readonly manager: JobManager;
  /** Default: one that runs no jobs, and is closed with the UI. */
  readonly scheduler?: Scheduler;
  /** The store as text, for the head of the page. Default: its type, and its file or host if known. */
  readonly store?: string;
  /**
   * The store as `ojm --store` names it, without a password: the page of an empty store shows how to create a
   * first job in a shell. Default: where the manager was opened, if the command line can open it there.
   */
  readonly address?: string;
  /** Rejects every action, whatever the role. Default: false. */
  readonly readOnly?: boolean;
  /**
   * Shows the results, the `args` and the `meta` of runs, and the data of items, which may contain secrets.
   * Default: false.
   */
  readonly showResults?: boolean;
  /**
   * Masks texts that people and jobs wrote: log lines, errors, results, reasons, authors, triggers. Such as
   * `(text) => text.replace(/password=\S+/g, "password=***")`. Default: nothing is masked.
   */
  readonly mask?: (text: string) => string;
  /**
   * The metrics for Prometheus: `openPrometheus({ manager }).text` of `@ojm/otel/prometheus`. `/metrics` then
   * serves them, to programs of this machine and to users with a session. Default: no metrics.
   */
  readonly metrics?: () => string | Promise<string>;
  /**
   * Further reasons that keep a job from running; without a name, those of all jobs that need attention.
   * `running`: the ids of the running runs, if they are known. `ojm ui` reports the commands of `ojm exec`
   * that outlived it, and starts that were rejected. Default: none.
   */
  readonly reasons?: (name?: string, running?: ReadonlySet<string>) => Promise<readonly OtherReason[]>;
  /** The names that a `Host` header may have, besides `localhost`, `127.0.0.1` and `[::1]`. */
  readonly hosts?: readonly string[];
  /**
   * Trusts the headers `X-Forwarded-Host`, `-Proto`, `-Prefix` and `-For`. Use it only behind a proxy that
   * sets all of them: any client could send them otherwise. Default: false.
   */
  readonly trustProxy?: boolean;
  /**
   * Where it is mounted, such as `/a/b`, if the server in front does not report it: see
   * `docs/how-to/ui-behind-a-proxy.md`. Default: as the server reports, or `/`.
   */
  readonly basePath?: string;
}

/** Options of {@link openUi}. */
export interface UiOptions extends ViewOptions {
  /**
   * Identifies the sender of a request, by the session of your own server; `undefined` if there is none.
   * Called for each request of the API, and for each page, which comes with its first answers.
   */
  readonly authorize: (request: Request) => Promise<Viewer | undefined> | Viewer | undefined;
}

/** Where a request comes from. */
export interface RequestSource {
  /** The address of the client, for the audit. */
  readonly address?: string;
  /** The path at which the UI is mounted, if the server removed it from the URL. */
  readonly prefix?: string;
}

/** A UI to mount in a server. */
export interface Ui {
  /** Answers a request. Never rejects. */
  fetch(request: Request, from?: RequestSource): Promise<Response>;
  /** The same for `node:http`, Express, Koa and Fastify. */
  listener(request: IncomingMessage, response: ServerResponse): void;
  /** Ends the streams. The manager stays open. */
  close(): Promise<void>;
}

/** Options of {@link openUiServer}. */
export interface UiServerOptions extends ViewOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** Default: `127.0.0.1`. Any other address needs `users` or `authorize`. */
  readonly host?: string;
  /** Identifies the viewer. Default: a user with the launch token is `viewer`. */
  readonly authorize?: UiOptions["authorize"];
  /** The user with the launch token. Default: the user of this process, as `admin`. */
  readonly viewer?: Viewer;
  /**
   * The file of the users who sign in with a name and a password, instead of a launch token. `addUiUser`
   * writes it. A change of the file applies at once, to open sessions too.
   */
  readonly users?: string;
  /**
   * Signs the cookies: sessions stay valid when a server with the same secret restarts, even those that a
   * user has ended. At least 16 characters that cannot be guessed. Default: a new one each time.
   */
  readonly secret?: string;
}

/** A UI that is being served. */
export interface UiServer {
  /** Its address; without `users` and `authorize`, with a launch token that is valid once, for a minute. */
  readonly url: string;
  readonly port: number;
  /** The same, with another launch token. */
  link(): string;
  close(): Promise<void>;
}
