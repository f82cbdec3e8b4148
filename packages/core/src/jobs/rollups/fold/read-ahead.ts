/** How many are read at once. */
const AT_ONCE = 4;

/**
 * Reads something for each item, some ahead of the caller, in order: a store on a network answers the next
 * ones meanwhile. The caller must not rely on when something was read.
 */
export async function* readAhead<T, R>(
  items: AsyncGenerator<T, void, undefined>,
  read: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const reading: Promise<{ readonly result: R } | undefined>[] = [];
  const begin = (): void => {
    const next = items.next().then(async ({ done, value }) => (done ? undefined : { result: await read(value as T) }));
    // The caller hears of it in its turn, or has stopped by then.
    next.catch(() => {});
    reading.push(next);
  };
  try {
    for (let i = 0; i < AT_ONCE; i++) begin();
    for (;;) {
      const next = await reading.shift();
      if (next === undefined) return;
      begin();
      yield next.result;
    }
  } finally {
    await Promise.allSettled(reading);
    await items.return();
  }
}
