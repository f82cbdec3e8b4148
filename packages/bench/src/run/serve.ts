import type { Answer, Cost, Order } from "./contestant.js";

/** Executes the orders that the benchmark sends to this process, and answers each. */
export function serve(obey: (order: Order) => Promise<Cost | number | undefined>): void {
  const answerTo = async (order: Order): Promise<Answer> => {
    const value = await obey(order);
    return value === undefined ? {} : { value };
  };
  process.on("message", async (order: Order) => {
    const answer = await answerTo(order).catch((error: Error): Answer => ({ error: error.stack ?? String(error) }));
    process.send?.(answer);
    if (order.do === "close") process.disconnect();
  });
  // Even if the benchmark was interrupted: the connections would keep this process alive.
  process.once("disconnect", () => process.exit());
  process.send?.({});
}
