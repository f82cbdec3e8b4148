import type { Channel } from "../../channel/channel.js";
import type { Entry, Key } from "../../channel/types.js";
import type { ProcessIdentity } from "../../util/process-state.js";
import { fieldsOf, isCount, isId, isNumber, isOptional, isSpan, isText, isTime } from "../../util/shape.js";
import type {
  AuditValue,
  Hold,
  Holder,
  LocksValue,
  LockValue,
  QueueValue,
  SessionValue,
  StopRequest,
  StopRequestsValue,
  Ticket,
  TurnNotice,
} from "./schema.js";

/*
 * Whether an entry was written by locks. Each check is complete for its kind: a value that passes needs no
 * further check. An unknown field is allowed, since a later version of ojm may write more.
 */

/** The holder of a lock or a run. */
export function isHolder(value: unknown): value is Holder {
  const holder = fieldsOf<Holder>(value);
  return holder !== undefined && isText(holder.host) && isCount(holder.pid) && isId(holder.instance);
}

/** Whether a value is the lock `name`. The lock of another name could end the run of that name. */
export function isLock(value: unknown, name: string): value is LockValue {
  const lock = fieldsOf<LockValue>(value);
  if (lock === undefined || lock.name !== name) return false;
  return (
    isHolder(lock.holder) && isText(lock.token) && isTime(lock.since) && isSpan(lock.timeout) && isNumber(lock.until)
  );
}

/** Whether a value is a queue. It may have items that are not tickets: see {@link ticketsOf}. */
export function isQueue(value: unknown): value is QueueValue {
  return Array.isArray(fieldsOf<QueueValue>(value)?.waiting);
}

/**
 * The tickets of a queue, in order of arrival. An item without a session or a token is left out: no process
 * could check whether its waiter lives, so it must not keep any other from the lock.
 */
export function ticketsOf(queue: unknown): readonly Ticket[] {
  return understood(fieldsOf<QueueValue>(queue)?.waiting, isTicket);
}

/** The items of a list that pass a check. The same list if all do, which is the usual case. */
function understood<T>(items: unknown, is: (item: unknown) => item is T): readonly T[] {
  if (!Array.isArray(items)) return [];
  return items.every(is) ? items : items.filter(is);
}

/** Whether an item of a queue names its session and its token. Only {@link waiterOf} reads another field. */
function isTicket(value: unknown): value is Ticket {
  const ticket = fieldsOf<Ticket>(value);
  return ticket !== undefined && isId(ticket.session) && isText(ticket.token);
}

export function isTurnNotice(value: unknown): value is TurnNotice {
  return isTicket(value) && isText(fieldsOf<TurnNotice>(value)?.name);
}

/** Whether a value is a list of requests. Some may be unknown: see {@link stopRequestsIn}. */
export function isStopRequests(value: unknown): value is StopRequestsValue {
  return Array.isArray(fieldsOf<StopRequestsValue>(value)?.requests);
}

/** The requests of a list that this version can carry out. A request with an unknown action is left out. */
export function stopRequestsIn(value: unknown): readonly StopRequest[] {
  return understood(fieldsOf<StopRequestsValue>(value)?.requests, isStopRequest);
}

export function isStopRequest(value: unknown): value is StopRequest {
  const request = fieldsOf<StopRequest>(value);
  if (request === undefined || (request.action !== "cancel" && request.action !== "unlock")) return false;
  const isNamed = isText(request.name) && isText(request.fence) && isText(request.reason);
  return isNamed && isHolder(request.by) && isTime(request.at) && isOptional(request.author, isText);
}

/** The session `id`. */
export function isSession(value: unknown, id: string): value is SessionValue {
  const session = fieldsOf<SessionValue>(value);
  if (session === undefined || session.id !== id) return false;
  const { process, since, beat, by, ojm } = session;
  if (by !== undefined && by !== "thread") return false;
  return isProcess(process) && isTime(since) && isCount(beat) && isOptional(ojm, isText);
}

export function isProcess(value: unknown): value is ProcessIdentity {
  const process = fieldsOf<ProcessIdentity>(value);
  if (process === undefined || !isCount(process.pid)) return false;
  return [process.host, process.boot, process.namespace, process.started].every(isText);
}

/** The hold in the note of a lock that a person holds; `undefined` for all other locks. */
export function holdOf({ note }: { readonly note?: unknown }): Hold | undefined {
  const hold = fieldsOf<Hold>(fieldsOf<{ hold: Hold }>(note)?.hold);
  if (hold === undefined || !isText(hold.reason) || !isOptional(hold.author, isText)) return undefined;
  return isTime(hold.at) && isTime(hold.until) ? (hold as Hold) : undefined;
}

/** An audit record. Entries of early versions have a lock, and no action. */
export function isAudit(value: unknown): value is AuditValue {
  const audit = fieldsOf<AuditValue>(value);
  if (audit === undefined || !isText(audit.name) || !isTime(audit.at) || !isHolder(audit.by)) return false;
  const { action, reason, author, run, holder, lock } = audit;
  if (!isOptional(holder, isHolder) || !isOptional(lock, (it) => isHolder(fieldsOf<LockValue>(it)?.holder)))
    return false;
  return [action, reason, author, run].every((text) => isOptional(text, isText));
}

/** The lock that a key belongs to, and its part; `undefined` for a key that locks never write. */
export function lockPlace(key: Key): { readonly name: string; readonly part: "lock" | "queue" } | undefined {
  if (!Array.isArray(key) || key[0] !== "lock" || !isText(key[1]) || key[1] === "") return undefined;
  const name = key[1];
  if (key.length === 2) return { name, part: "lock" };
  return key.length === 3 && key[2] === "queue" ? { name, part: "queue" } : undefined;
}

/** The session that a key belongs to; `undefined` for a key that locks never write. */
export function sessionPlace(key: Key): string | undefined {
  if (!Array.isArray(key) || key[0] !== "session" || !isId(key[1])) return undefined;
  const isPart = key.length === 3 && (key[2] === "call" || key[2] === "stop");
  return key.length === 2 || isPart ? key[1] : undefined;
}

/** Deletes an entry, unless it has changed since it was read. */
export async function removeEntry(
  channel: Channel<LocksValue>,
  { key, version }: Omit<Entry<LocksValue>, "value">,
): Promise<void> {
  await channel.commit([{ check: key, version }, { delete: key }]);
}
