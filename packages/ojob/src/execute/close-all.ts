/** Resolves when all of them are settled. The first failure is thrown then, not before: each has its time to the end. */
export async function settleAll(work: Iterable<Promise<unknown>>): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

/** Closes all that was opened, or is about to be. What cannot be closed keeps none of the others open. */
export async function closeAll(openings: Iterable<Promise<{ close(): Promise<unknown> }>>): Promise<void> {
  const opened = await Promise.allSettled(openings);
  await settleAll(opened.flatMap((one) => (one.status === "fulfilled" ? [one.value.close()] : [])));
}
