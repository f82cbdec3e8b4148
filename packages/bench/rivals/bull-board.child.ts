import type { AddressInfo } from "node:net";
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import { Queue } from "bullmq";
import express from "express";
import { connectionOf } from "./queues.js";

/* Serves bull-board, as its documents recommend. Arguments: the URL of Redis, and the names of the queues. */
const [url = "", names = ""] = process.argv.slice(2);
const queues = names.split(",").map((name) => new Queue(name, { connection: connectionOf(url) }));
const serverAdapter = new ExpressAdapter();
serverAdapter.setBasePath("/");
createBullBoard({ queues: queues.map((queue) => new BullMQAdapter(queue)), serverAdapter });
const server = express()
  .use("/", serverAdapter.getRouter())
  .listen(0, "127.0.0.1", () => {
    process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  });
process.once("disconnect", () => process.exit());
