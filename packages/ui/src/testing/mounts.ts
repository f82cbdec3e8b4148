import { once } from "node:events";
import { createServer, type RequestListener, type Server, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import type { Ui } from "../types.js";

/** A server with a mounted UI. */
export interface Mounted {
  readonly url: string;
  close(): Promise<void>;
}

/** Mounts a UI below a prefix, `""` for the root. */
export type Mount = (ui: Ui, prefix: string) => Promise<Mounted>;

async function listening(server: Server): Promise<Mounted> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return mounted(server);
}

function mounted(server: Server): Mounted {
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The same code as in docs/how-to/ui-behind-a-proxy.md. */
export const mounts: Readonly<Record<string, Mount>> = {
  "node:http": (ui) => listening(createServer(ui.listener)),
  Express: (ui, prefix) => {
    const app = express();
    app.use(express.json());
    app.use(prefix === "" ? "/" : prefix, ui.listener);
    return listening(createServer(app as RequestListener));
  },
  Koa: (ui) => {
    const app = new Koa();
    app.use((context) => {
      context.respond = false;
      ui.listener(context.req, context.res);
    });
    return listening(createServer(app.callback()));
  },
  Fastify: async (ui, prefix) => {
    const app = fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, _payload, done) => done(null));
    app.all(`${prefix}/*`, (request, reply) => {
      reply.hijack();
      ui.listener(request.raw, reply.raw);
    });
    const url = await app.listen({ port: 0, host: "127.0.0.1" });
    return {
      url,
      close: async () => {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  },
  Hono: async (ui, prefix) => {
    const app = new Hono();
    app.all(`${prefix}/*`, (context) => {
      const { address } = getConnInfo(context).remote;
      return ui.fetch(context.req.raw, { ...(address !== undefined && { address }) });
    });
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
    await once(server, "listening");
    return mounted(server);
  },
};

/** A proxy that serves only `upstream`, below `/a/b`, with the whole path or without the prefix. */
export function proxy(upstream: string, { strips }: { readonly strips: boolean }): Promise<Mounted> {
  return listening(
    createServer((request, response) => {
      const { url = "/", method, headers } = request;
      if (!/^\/a\/b(\/|$)/.test(url)) {
        response.writeHead(404).end();
        return;
      }
      const path = strips ? url.slice("/a/b".length) || "/" : url;
      const { hostname, port } = new URL(upstream);
      const on = send({ hostname, port, path, method, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      on.on("error", () => response.destroy());
      response.on("close", () => on.destroy());
      request.pipe(on);
    }),
  );
}
