import type { JsonValue } from "../../channel/encoding/json.js";
import type { CallOptions } from "../../channel/types.js";
import type { LogChunk } from "../../jobs/logs/chunk.js";
import type { Progress } from "../../jobs/logs/types.js";
import type { RunRecord } from "../../jobs/types.js";

/** Options of {@link JobManager.exported}. */
export interface ExportOptions extends CallOptions {
  /** Only the runs of this name. */
  readonly name?: string;
  /** Only runs that began, and actions, at this time or later, in ms since 1970. */
  readonly from?: number;
  /** Only those before this time, in ms since 1970. */
  readonly to?: number;
  /** Whether the logs of the runs are exported too. Default: true. */
  readonly logs?: boolean;
}

/** Some lines of the log of a run, as the store has them. */
export interface ExportedLog extends LogChunk {
  /** The id of the run. */
  readonly run: string;
  /** The number of this part among those of the run. */
  readonly part: number;
}

/** The latest progress of a run. */
export interface ExportedProgress extends Progress {
  /** The id of the run. */
  readonly run: string;
}

/** An action of an operator, as in the store. */
export interface ExportedAudit {
  readonly key: readonly (string | number | boolean)[];
  readonly value: { readonly [field: string]: JsonValue };
}

/** A run that is not exported. */
interface NotExported {
  /** The id of the run. */
  readonly run: string;
  readonly reason: string;
}

/**
 * A part of what {@link JobManager.exported} yields: plain JSON. The parts of the log of a run follow its
 * record.
 */
export type Exported =
  | { readonly run: RunRecord }
  | { readonly log: ExportedLog }
  | { readonly progress: ExportedProgress }
  | { readonly audit: ExportedAudit }
  | { readonly leftOut: NotExported };

/** The outcome of an import for the parts of one kind. */
export interface ImportCount {
  /** The number of written parts. */
  readonly imported: number;
  /** The number of parts that the store had already. */
  readonly present: number;
  /** The number of parts that were not written, by the reason. */
  readonly leftOut: { readonly [reason: string]: number };
}

/** The kinds of parts that a manager exports, and counts when it imports them. */
export type ExportedKind = "runs" | "logs" | "audits";
