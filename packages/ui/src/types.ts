import type { IncomingMessage, ServerResponse } from "node:http";
import type { JobManager } from "@ojm/core";
import type { Scheduler } from "@ojm/schedule";
import type { Role } from "./contract/types.js";

export type { Role };

/** Who looks, and what that person may do. */
export interface Viewer {
  /** The name, for the audit. */
  readonly user: string;
  /**
   * `read` looks. `operate` also runs now, cancels, holds, pauses, resumes and backfills. `admin` also takes
   * locks by force.
   */
  readonly role: Role;
}

/** Something that keeps a job from running, and that the store does not know by itself. */
export interface OtherReason {
  /** The name of the job. */
  readonly name: string;
  /**
   * `orphaned`: a command of a run that is over is still running. `refused`: starts were refused since the
   * last run.
   */
  readonly code: "orphaned" | "refused";
  readonly text: string;
  /** What helps, in words. */
  readonly help?: string;
  /** The id of the run that it is about. */
  readonly run?: string;
  /** Whether no run can begin before that is over. */
  readonly keeps?: boolean;
}

/** How a cockpit looks at a store, and what it shows. */
export interface ViewOptions {
  /** The manager of the store. The caller keeps it, and closes it after the cockpit. */
  readonly manager: JobManager;
  /** Default: one that runs nothing, and is closed with the cockpit. */
  readonly scheduler?: Scheduler;
  /** The store in words, for the head of the page. Default: its type, and its file or host if known. */
  readonly store?: string;
  /**
   * The store as `ojm --store` names it, without a password: the page of an empty store shows how a shell
   * creates a first job. Default: where the manager was opened, if the command line can open it there.
   */
  readonly address?: string;
  /** Refuses every act, whatever the role. Default: false. */
  readonly readOnly?: boolean;
  /** Shows the results, the `args` and the `meta` of runs, which may hold secrets. Default: false. */
  readonly showResults?: boolean;
  /**
   * What people and jobs wrote passes through it: log lines, errors, results, reasons, authors, triggers.
   * Such as `(text) => text.replace(/password=\S+/g, "password=***")`. Default: nothing is masked.
   */
  readonly mask?: (text: string) => string;
  /**
   * The metrics for Prometheus: `prometheus({ manager }).text` of `@ojm/otel/prometheus`. `/metrics` then has
   * them, for programs of this machine and for those who have a session. Default: there is none.
   */
  readonly metrics?: () => string | Promise<string>;
  /**
   * What else keeps a job from running; without a name, what is to be looked at of all jobs. `running`: the
   * ids of the runs that are not over, if they are known. `ojm ui` reports the commands of `ojm exec` that
   * outlived it, and of starts that were refused. Default: nothing.
   */
  readonly reasons?: (name?: string, running?: ReadonlySet<string>) => Promise<readonly OtherReason[]>;
  /** The names that a `Host` header may have, beside `localhost`, `127.0.0.1` and `[::1]`. */
  readonly hosts?: readonly string[];
  /**
   * Trusts the headers `X-Forwarded-Host`, `-Proto`, `-Prefix` and `-For`. Only behind a proxy that sets all
   * of them: anybody else could send them. Default: false.
   */
  readonly trustProxy?: boolean;
  /**
   * Where it is mounted, such as `/a/b`, if the server in front does not tell: see the README. Default: as
   * the server tells, or `/`.
   */
  readonly basePath?: string;
}

/** Options of {@link createUi}. */
export interface UiOptions extends ViewOptions {
  /**
   * Tells who sends a request, by the session of your own server; `undefined` for nobody. Called for each
   * request of the API, and for each page, which brings the answers that it shows first.
   */
  readonly authorize: (request: Request) => Promise<Viewer | undefined> | Viewer | undefined;
}

/** Where a request comes from. */
export interface RequestSource {
  /** The address of the client, for the audit. */
  readonly address?: string;
  /** The path at which the cockpit is mounted, if the server took it from the URL. */
  readonly prefix?: string;
}

/** A cockpit, to be mounted in a server. */
export interface Ui {
  /** Answers a request. Never rejects. */
  fetch(request: Request, from?: RequestSource): Promise<Response>;
  /** The same for `node:http`, Express, Koa and Fastify. */
  listener(request: IncomingMessage, response: ServerResponse): void;
  /** Ends the streams. The manager stays open. */
  close(): Promise<void>;
}

/** Options of {@link serveUi}. */
export interface ServeOptions extends ViewOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Default: `127.0.0.1`. Any other address needs `authorize`. */
  readonly host?: string;
  /** Who looks. Default: whoever has the launch token, as `viewer`. */
  readonly authorize?: UiOptions["authorize"];
  /** Who has the launch token. Default: the user of this process, as `admin`. */
  readonly viewer?: Viewer;
  /**
   * Signs the cookies: sessions stay valid when a server with the same secret is started anew, also those
   * that somebody has ended. 16 characters or more, that nobody can guess. Default: a new one each time.
   */
  readonly secret?: string;
}

/** A cockpit that is served. */
export interface ServedUi {
  /** Where it is, with a launch token, which is good once, for a minute. */
  readonly url: string;
  readonly port: number;
  /** Another such URL. */
  link(): string;
  close(): Promise<void>;
}
