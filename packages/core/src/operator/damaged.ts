import { readable } from "../channel/corrupt.js";
import type { Key, Version } from "../channel/types.js";
import { JOBS, LOCKS, TIMES, TURNS } from "../jobs/channels.js";
import { FORMATS, isFormat, isFormatKey } from "../jobs/format.js";
import { isChunk, isProgress, isProgressKey, runOfKey, seqOf } from "../jobs/logs/chunk.js";
import { LOGS } from "../jobs/logs/logs.js";
import { isMaintenance, isMaintenanceValue } from "../jobs/maintenance.js";
import type { JobManager } from "../jobs/manager.js";
import { LOOK, SEEN, seenIn } from "../jobs/records/close-orphans.js";
import { isRecord, isRecordKey, isStatus } from "../jobs/records/read.js";
import { retentionIn, SETTING } from "../jobs/records/retention-pass.js";
import { FILLED, IN_ERROR, isFilled } from "../jobs/records/time-index.js";
import { hasPendingFields, isPending } from "../jobs/retry/pending.js";
import { isPolicy } from "../jobs/retry/policy.js";
import { isDone } from "../jobs/run/done.js";
import { isPermit, isPermitLimit } from "../jobs/run/permit-entries.js";
import { isRate, isToken } from "../jobs/run/rates.js";
import type { RunRecord } from "../jobs/types.js";
import type { SessionValue } from "../locks/entries/schema.js";
import {
  isAudit,
  isLock,
  isQueue,
  isSession,
  isStopRequests,
  isTurnNotice,
  lockPlace,
  sessionPlace,
  stopRequestsIn,
  ticketsOf,
} from "../locks/entries/valid.js";
import { isTurn } from "../locks/sweep/turn.js";
import { Breaks } from "../util/event-loop.js";
import { fieldsOf, isText, isTime, present } from "../util/shape.js";
import { cellsPlace, FOLD, foldStateOf, isCells, SPANS } from "./rollups/entries.js";

/** An entry with a key of ours and an unusable value: readers leave it out. Or one of a later version. */
export interface DamagedEntry {
  /** The name of its channel. */
  readonly channel: string;
  readonly key: Key;
  readonly version: Version;
  /** The lock that stays held because its holder is unreadable. */
  readonly lock?: string;
  /** Set if the entry is not damaged: see {@link DamageCheck.isUnknown}. */
  readonly unknown?: true;
}

/** An entry as it was read. Its value is `undefined` if it cannot be decoded. */
interface Read {
  readonly key: Key;
  readonly value: unknown;
}

/** Finds the damaged entries of a channel. */
export interface DamageCheck {
  /** The name of the channel. */
  readonly channel: string;
  /** Whether an entry has a key of ours and an unusable value. */
  readonly isDamaged: (entry: Read) => boolean;
  /**
   * Whether an entry that is not damaged has a value that this version of ojm does not know: a later version
   * may have written it. Default: none has.
   */
  readonly isUnknown?: (entry: Read) => boolean;
  /** The entries to check, by the prefixes of their keys. Default: all. */
  readonly prefixes?: readonly Key[];
  /** The most entries to check, if they are large. */
  readonly most?: number;
}

/** Other packages store entries in this channel, too. */
function isDamagedLock({ key, value }: Read): boolean {
  const [kind, name, ...more] = (Array.isArray(key) ? key : []) as readonly unknown[];
  const lock = lockPlace(key);
  if (lock !== undefined) return lock.part === "lock" ? !isLock(value, lock.name) : !isQueue(value);
  const session = sessionPlace(key);
  if (session !== undefined) {
    if (more[0] === "call") return !isTurnNotice(value);
    return more[0] === "stop" ? !isStopRequests(value) : fieldsOf<SessionValue>(value)?.id !== session;
  }
  if (kind === "maintenance" && name === undefined) return !isMaintenanceValue(value);
  if (kind === "sweep" && name === undefined) return !isTurn(value);
  if (typeof name !== "string") return false;
  if (kind === "done") return more.length === 1 && !isDone(value);
  if (kind === "permit") return more.length === 0 ? !isPermitLimit(value) : !isPermit(value);
  if (kind === "rate") return more.length === 0 ? !isRate(value) : !isToken(value);
  if (kind === "audit") return more.length === 2 && !isAudit(value);
  return kind === "retry" && more.length === 1 && !hasPendingFields({ key, value });
}

function isUnknownLock({ key, value }: Read): boolean {
  const [kind, , part] = (Array.isArray(key) ? key : []) as readonly unknown[];
  if (kind === "retry") return hasPendingFields({ key, value }) && !isPending({ key, value });
  if (lockPlace(key)?.part === "queue") return isQueue(value) && ticketsOf(value).length < value.waiting.length;
  if (kind === "maintenance" && part === undefined) return isMaintenanceValue(value) && !value.all.every(isMaintenance);
  const session = sessionPlace(key);
  if (session === undefined) return false;
  // A session lives until its entry expires: its process may be running.
  if (part === undefined) return !isSession(value, session);
  return part === "stop" && isStopRequests(value) && stopRequestsIn(value).length < value.requests.length;
}

/** Scripts may store anything in this channel, under other keys. */
const isDamagedRecord = ({ key, value }: Read): boolean => isRecordKey(key) && !isRecord({ key, value });

function isUnknownRecord({ key, value }: Read): boolean {
  if (!isRecordKey(key)) return false;
  const { status, retry } = fieldsOf<RunRecord>(value) ?? {};
  return !isStatus(status) || (retry !== undefined && !isPolicy(retry));
}

function isDamagedLog({ key, value }: Read): boolean {
  if (runOfKey(key) === undefined) return false;
  return isProgressKey(key) ? !isProgress(value) : seqOf(key) !== undefined && !isChunk(value);
}

/** The values of the other entries are not read: their keys have all the information. */
function isDamagedTime({ key, value }: Read): boolean {
  if (key === FILLED) return !isFilled(value);
  if (key === FOLD) return foldStateOf(value) === undefined;
  const [kind] = (Array.isArray(key) ? key : []) as readonly unknown[];
  if (cellsPlace(key) === undefined) return false;
  return kind === IN_ERROR ? !isText(value) : isText(kind) && Object.hasOwn(SPANS, kind) && !isCells(value);
}

function isDamagedTurn({ key, value }: Read): boolean {
  if (key === LOOK) return !isTime(value);
  return key === SEEN ? seenIn(value) === undefined : Array.isArray(key) && key.length === 1 && !isTurn(value);
}

function isUnknownTurn({ key, value }: Read): boolean {
  return key === SETTING && retentionIn(value) === undefined;
}

/** The checks of the channels of core. */
export const DAMAGE_CHECKS: readonly DamageCheck[] = [
  { channel: LOCKS, isDamaged: isDamagedLock, isUnknown: isUnknownLock },
  { channel: JOBS, isDamaged: isDamagedRecord, isUnknown: isUnknownRecord },
  // A chunk has up to some ten KB.
  { channel: LOGS, isDamaged: isDamagedLog, most: 2_000 },
  {
    channel: TIMES,
    isDamaged: isDamagedTime,
    prefixes: [FILLED, FOLD, [IN_ERROR], ...Object.keys(SPANS).map((span) => [span])],
  },
  { channel: TURNS, isDamaged: isDamagedTurn, isUnknown: isUnknownTurn },
  { channel: FORMATS, isDamaged: ({ key, value }) => isFormatKey(key) && !isFormat(value) },
];

/** The damaged and unknown entries that the checks find among the first `most` of each channel, or prefix. */
export async function* damagedEntries(
  manager: JobManager,
  checks: readonly DamageCheck[],
  most: number,
): AsyncGenerator<DamagedEntry, void, undefined> {
  const breaks = new Breaks();
  for (const check of checks) {
    const channel = await manager.channelOf(check.channel);
    const limit = Math.min(most, check.most ?? most);
    for (const prefix of check.prefixes ?? [undefined]) {
      for await (const { key, value, version } of readable(channel, { limit, ...present({ prefix }) })) {
        await breaks.take();
        if (!check.isDamaged({ key, value })) {
          if (check.isUnknown?.({ key, value })) yield { channel: check.channel, key, version, unknown: true };
          continue;
        }
        const place = check.channel === LOCKS ? lockPlace(key) : undefined;
        yield { channel: check.channel, key, version, ...(place?.part === "lock" && { lock: place.name }) };
      }
    }
  }
}
