/** The package's own types cannot be reached through its `exports`. */
declare module "redlock" {
  import type { Redis } from "ioredis";

  export default class Redlock {
    constructor(clients: readonly Redis[], settings: { readonly retryDelay: number });
    on(event: "error", listener: (error: Error) => void): this;
    acquire(resources: string[], duration: number): Promise<{ release(): Promise<unknown> }>;
    using<T>(resources: string[], duration: number, routine: (signal: AbortSignal) => Promise<T>): Promise<T>;
  }
}
