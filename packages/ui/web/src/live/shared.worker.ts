import { Hub, type ToHub } from "./hub.js";

const hub = new Hub();

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (port === undefined) return;
  const post = (message: unknown): void => port.postMessage(message);
  port.onmessage = ({ data }: MessageEvent<ToHub>) => hub.take(post, data);
});
