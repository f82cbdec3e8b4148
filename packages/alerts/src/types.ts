import type { Clock, Duration, RunStatus } from "@ojm/core";

/**
 * What a rule reports about a run.
 *
 * - `failed`, `lost`, `timeout`: it ended with this status, and no other attempt follows.
 * - `recovered`: it completed, after a run that the rule reported as failed, lost or timeout.
 * - `long`: it is running for longer than {@link Rule.longer}.
 * - `started`: it started.
 * - `completed`: it completed, even if it found nothing to do.
 *
 * And about the ticks of schedules, by `@ojm/schedule`:
 *
 * - `missed`: no process was available to run it in time.
 * - `late`: its run started later than {@link Rule.later}.
 */
export type AlertKind =
  | "started"
  | "completed"
  | "failed"
  | "lost"
  | "timeout"
  | "recovered"
  | "long"
  | "missed"
  | "late";

/** Which runs are reported, and to which receiver. */
export interface Rule {
  /**
   * The name of the rule, at most 100 letters, digits, `.`, `_` and `-`. Give an id to a rule whose options
   * may change, because what it has already reported is stored under its id. Default: a hash of the rule,
   * without its secrets.
   */
  readonly id?: string;
  /** The kinds of events that the rule reports. */
  readonly on: readonly AlertKind[];
  /** The names of the jobs; `*` stands for any text. Default: all. */
  readonly jobs?: readonly string[];
  /**
   * How many runs of the job in a row must have ended in error before the rule reports one. It reports each
   * one from then on. Runs that were cancelled or skipped do not count. At most 50. Default: 1.
   */
  readonly after?: number;
  /** For `long`: how long a run may take. */
  readonly longer?: Duration;
  /** For `late`: how long after its tick a run may start. */
  readonly later?: Duration;
  /**
   * For `missed`: how long after its due time an undecided tick counts as missed, one second at least.
   * Default: one minute.
   */
  readonly grace?: Duration;
  /** The receiver. */
  readonly to: Receiver;
}

/** The receiver of an alert: exactly one of these. */
export type Receiver =
  | WebhookReceiver
  | CommandReceiver
  | EmailReceiver
  | { readonly slack: string; readonly deadline?: Duration }
  | { readonly healthchecks: string; readonly deadline?: Duration };

/** An address that accepts a POST in the format of Standard Webhooks. */
export interface WebhookReceiver {
  /** The address, with http or https. Redirects are not followed. */
  readonly webhook: string;
  /** The secret that signs it: `whsec_` and base64. Without it, the request is not signed. */
  readonly secret?: string;
  /** How long an attempt may take. Default: 10 s. */
  readonly deadline?: Duration;
}

/** A program that gets the alert as JSON on its standard input, and its id as `OJM_ALERT_ID`. */
export interface CommandReceiver {
  /** The program and its arguments. No shell reads them. */
  readonly command: readonly string[];
  /** How long it may take before it is killed. Default: 30 s. */
  readonly deadline?: Duration;
}

/** Mail, by nodemailer. */
export interface EmailReceiver {
  readonly email: {
    readonly to: string | readonly string[];
    readonly from: string;
    /** The server: `smtp://user:password@host:587`, or the options of nodemailer's SMTP transport. */
    readonly smtp: string | SmtpServer;
  };
  /** How long an attempt may take. Default: 30 s. */
  readonly deadline?: Duration;
}

/** A mail server. */
export interface SmtpServer {
  readonly host: string;
  readonly port?: number;
  /** Whether the connection starts with TLS. Otherwise STARTTLS is used if the server supports it. */
  readonly secure?: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
  /** Options of Node's `tls.connect`, such as `ca`. */
  readonly tls?: { readonly [option: string]: unknown };
}

/** Options of {@link openAlerts}. */
export interface AlertsOptions {
  readonly rules: readonly Rule[];
  /**
   * How often a process checks for what no event reported: what a dead process left, and runs that take too
   * long. Default: 30 s.
   */
  readonly every?: Duration;
  /**
   * The address of the UI, such as `https://ops.example.com/ojm`. Each alert then has a link to its run, or
   * to its job if it is about missed ticks.
   */
  readonly url?: string;
  /** Time and randomness, replaced in simulations. */
  readonly clock?: Clock;
}

/** What a receiver gets. */
export interface Alert {
  /** The same for each delivery of this alert, so that a receiver can ignore a repeated one. */
  readonly id: string;
  readonly kind: AlertKind;
  /** The id of the rule. */
  readonly rule: string;
  /** The id of the run. Absent for `missed`: there was none. */
  readonly run?: string;
  /** The name of the job. */
  readonly name: string;
  readonly status: RunStatus | "missed";
  /** Why the run did not complete, or why a tick was missed. At most 1,000 characters. */
  readonly error?: string;
  readonly host?: string;
  /** Times in ISO 8601, UTC. */
  readonly started?: string;
  readonly ended?: string;
  /** In ms. For a run that is still running: so far. */
  readonly duration?: number;
  /** The number of this attempt in its retry series, and how many there may be. */
  readonly attempt?: number;
  readonly attempts?: number;
  /**
   * How many runs of the job in a row ended in error, at most 50. For `recovered`: the runs before this one.
   */
  readonly streak?: number;
  /** `missed`, `late`: the tick. */
  readonly tick?: string;
  /** `missed`: the last tick and their number, if there were several. The number is 10,000 at most. */
  readonly until?: string;
  readonly count?: number;
  /** `late`: how long after its tick the run started, in ms. */
  readonly delay?: number;
  /** Where the UI shows the run or the job. Only with {@link AlertsOptions.url}. */
  readonly link?: string;
  /** How many alerts of this rule were dropped since the last one, because its receiver took none. */
  readonly dropped?: number;
}
