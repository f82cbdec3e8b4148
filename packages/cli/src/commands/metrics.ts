import { CommandError } from "../errors.js";
import { printError } from "../output/print.js";

const ADDRESS = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d{1,5})$/;
const HIGHEST_PORT = 65_535;

/**
 * Serves the metrics of this process until it ends, at `HOST:PORT`.
 *
 * @throws CommandError for any other text, or if it cannot listen on the address
 */
export async function openMetricsServer(address: string, ready: () => Promise<boolean>): Promise<void> {
  const [, host = "127.0.0.1", text] = ADDRESS.exec(address) ?? [];
  const port = Number(text);
  if (text === undefined || port > HIGHEST_PORT) {
    throw new CommandError(`--metrics is HOST:PORT or PORT, such as 127.0.0.1:9464, not ${address}`);
  }
  const { openMetricsServer } = await import("@ojm/otel/prometheus");
  try {
    const { url } = await openMetricsServer({ host: host.replace(/^\[|\]$/g, ""), port, ready });
    printError(`metrics are at ${url}/metrics`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "another process listens there: take another port" : message;
    throw new CommandError(`--metrics ${address}: ${why}`);
  }
}
