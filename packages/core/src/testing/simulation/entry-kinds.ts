/* What a key of the store is of, where a test looks at what passes by. */

/** Who holds a lock; not who waits for it. */
export const isLock = (key: string): boolean => /^oJobManager-locks \["lock "[^"]*$/.test(key);
/** Who holds a lock, and who waits for it. */
export const isLocking = (key: string): boolean => key.startsWith('oJobManager-locks ["lock ');
export const isSession = (key: string): boolean => /^oJobManager-locks \["session "[^"]*$/.test(key);
export const isRecord = (key: string): boolean => key.startsWith("oJobManager-jobs {");
/** That a lock was unlocked by force. */
export const isAudit = (key: string): boolean => key.startsWith('oJobManager-locks ["audit ');
/** Which ticket of a session came to be the first of its queue. */
export const isCall = (key: string): boolean => /^oJobManager-locks \["session "[^"]*" "call"/.test(key);
/** Who sweeps for all. */
export const isSweep = (key: string): boolean => key.startsWith('oJobManager-locks ["sweep');
