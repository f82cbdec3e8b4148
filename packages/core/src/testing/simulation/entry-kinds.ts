/* The kinds of entries by their keys, for tests that check the traffic to the store. */

/** The holder of a lock, but not its queue. */
export const isLock = (key: string): boolean => /^oJobManager-locks \["lock "\S* $/.test(key);
/** The holder of a lock, or its queue. */
export const isLocking = (key: string): boolean => key.startsWith('oJobManager-locks ["lock ');
export const isSession = (key: string): boolean => /^oJobManager-locks \["session "[^"]*$/.test(key);
export const isRecord = (key: string): boolean => key.startsWith("oJobManager-jobs {");
/** The entry of a record in the index by start time. */
export const isIndexed = (key: string): boolean => key.startsWith("oJobManager-times [") && !isRollup(key);
/** The cells of an hour or of a day, or a run that is in no cell yet. */
export const isRollup = (key: string): boolean => /^oJobManager-times \["(day|hour|open) /.test(key);
/** A run that was open when the fold passed it. */
export const isOpen = (key: string): boolean => key.startsWith('oJobManager-times ["open ');
/** The progress of the fold. */
export const isFold = (key: string): boolean => key.startsWith('oJobManager-times "fold');
/** A chunk of the log of a run, or its progress. */
export const isOfLog = (key: string): boolean => key.startsWith("oJobManager-logs [");
/** The audit entry of an action of a person. */
export const isAudit = (key: string): boolean => key.startsWith('oJobManager-locks ["audit ');
/** The turn notice of a session: which of its tickets became the first of its queue. */
export const isCall = (key: string): boolean => /^oJobManager-locks \["session "[^"]*" "call"/.test(key);
/** The mark that a run of a window has started. */
export const isOnce = (key: string): boolean => key.startsWith('oJobManager-locks ["once ');
/** The result of the run that completed a key. */
export const isDone = (key: string): boolean => key.startsWith('oJobManager-locks ["done ');
/** A permit that a run has. */
export const isPermit = (key: string): boolean => key.startsWith('oJobManager-locks ["permit ');
/** The tokens of rates, and their next numbers. */
export const isRate = (key: string): boolean => key.startsWith('oJobManager-locks ["rate ');
/** A token of a rate. */
export const isToken = (key: string): boolean => /^oJobManager-locks \["rate "[^ ]+ =/.test(key);
/** The process that sweeps for all. */
export const isSweep = (key: string): boolean => key.startsWith('oJobManager-locks ["sweep');
/** The next attempt of a retry series. */
export const isRetry = (key: string): boolean => key.startsWith('oJobManager-locks ["retry ');
