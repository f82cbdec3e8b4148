import type { Clock, Duration, RunStatus } from "@ojm/core";

/**
 * What a rule tells of a run.
 *
 * - `failed`, `lost`, `timeout`: it ended so, and no other attempt follows.
 * - `recovered`: it ended well, after a run that the rule told of as failed, lost or timeout.
 * - `long`: it goes on for longer than {@link Rule.longer}.
 * - `started`; `completed`: it ended well, also if it found nothing to do.
 *
 * And of the ticks of schedules, by `@ojm/schedule`:
 *
 * - `missed`: nobody was there to run it.
 * - `late`: its run began later than {@link Rule.later}.
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

/** Which runs are told, and where to. */
export interface Rule {
  /**
   * The name of the rule, at most 100 letters, digits, `.`, `_` and `-`. Give one to a rule whose text may
   * change: what a rule has told already is kept by its id. Default: a hash of the rule, without its secrets.
   */
  readonly id?: string;
  /** What is told. */
  readonly on: readonly AlertKind[];
  /** The names of the jobs; `*` stands for any text. Default: all. */
  readonly jobs?: readonly string[];
  /**
   * How many runs of the job in a row must have ended in error, before the rule tells one. It tells each one
   * from then on. Runs that were cancelled or skipped do not count. At most 50. Default: 1.
   */
  readonly after?: number;
  /** For `long`: how long a run may take. */
  readonly longer?: Duration;
  /** For `late`: how long after its tick a run may begin. */
  readonly later?: Duration;
  /**
   * For `missed`: how long after it was due an undecided tick counts as missed, one second at least. Default:
   * one minute.
   */
  readonly grace?: Duration;
  /** The receiver. */
  readonly to: Receiver;
}

/** Where an alert goes to: exactly one of these. */
export type Receiver =
  | WebhookReceiver
  | CommandReceiver
  | EmailReceiver
  | { readonly slack: string; readonly deadline?: Duration }
  | { readonly healthchecks: string; readonly deadline?: Duration };

/** An address that takes a POST, as Standard Webhooks has it. */
export interface WebhookReceiver {
  /** The address, with http or https. Redirects are refused. */
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
  /** Whether the connection begins with TLS. Otherwise STARTTLS is used where the server has it. */
  readonly secure?: boolean;
  readonly auth?: { readonly user: string; readonly pass: string };
  /** Options of Node's `tls.connect`, such as `ca`. */
  readonly tls?: { readonly [option: string]: unknown };
}

/** Options of {@link openAlerts}. */
export interface AlertsOptions {
  readonly rules: readonly Rule[];
  /**
   * How often a process looks for what no event reported: what a dead process left, and runs that take too
   * long. Default: 30 s.
   */
  readonly every?: Duration;
  /**
   * The address of the UI, such as `https://ops.example.com/ojm`. Each alert then has the link to its run, or
   * to its job for ticks that were missed.
   */
  readonly url?: string;
  /** Time and chance, replaced in simulations. */
  readonly clock?: Clock;
}

/** What a receiver is told. */
export interface Alert {
  /** The same for each delivery of this alert: a receiver that knows it already may ignore it. */
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
  /** In ms. Of a run that goes on: so far. */
  readonly duration?: number;
  /** Which attempt of its chain the run was, and how many there may be. */
  readonly attempt?: number;
  readonly attempts?: number;
  /** How many runs of the job in a row ended in error, at most 50. `recovered`: before this one. */
  readonly streak?: number;
  /** `missed`, `late`: the tick. */
  readonly tick?: string;
  /** `missed`: the last tick, and how many they were, if there were several. It counts to 10,000 at most. */
  readonly until?: string;
  readonly count?: number;
  /** `late`: how long after its tick the run began, in ms. */
  readonly delay?: number;
  /** Where the UI shows the run or the job. Only with {@link AlertsOptions.url}. */
  readonly link?: string;
  /** How many alerts of this rule were dropped since the last one, because its receiver took none. */
  readonly dropped?: number;
}
