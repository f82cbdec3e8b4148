/** Resolves when all promises are settled, so that each can finish. Then throws the first failure. */
export async function settleAll(work: Iterable<Promise<unknown>>): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

/** Closes everything that is open or being opened. A failure does not keep the others open. */
export async function closeAll(openings: Iterable<Promise<{ close(): Promise<unknown> }>>): Promise<void> {
  const opened = await Promise.allSettled(openings);
  await settleAll(opened.flatMap((one) => (one.status === "fulfilled" ? [one.value.close()] : [])));
}
