import { effect } from "@preact/signals";
import { ApiError, ageOf, forgetFirst, hasFirst, post, read } from "../api/call.js";
import type { Me } from "../api/types.js";
import { setClock } from "../format/clock.js";
import { connection, goLive, refreshNow } from "../live/live.js";
import { painted } from "../parts/steady/height.js";
import { me, signedOut, signInBy } from "./me.js";

const RETRY = 2_000;

/** Starting the stream starts a thread and loads a program: paint the requested page first. */
async function whenIdle(begin: () => void): Promise<void> {
  await painted();
  // Safari has no idle callbacks.
  if (typeof requestIdleCallback === "function") requestIdleCallback(begin, { timeout: 1_000 });
  else setTimeout(begin, 100);
}

/** Signs this tab in too after the user has signed in again in another tab. */
export function enterAgainWhenSeen(): void {
  // All tabs share a stream: it continues once one of them has signed in.
  effect(() => {
    if (connection.value.state === "live" && signedOut.peek()) void enter();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && signedOut.value) void enter();
  });
}

/** Exchanges the launch token, reads the user, and starts the stream. Tries until the server answers. */
export async function enter(): Promise<void> {
  const token = /^#token=(.+)$/.exec(location.hash)?.[1];
  if (token !== undefined) {
    // The token is valid once. It must not stay in the address, which people copy.
    history.replaceState(null, "", location.pathname + location.search);
    // These answers belong to the previous session.
    forgetFirst();
    await post("session", { token: decodeURIComponent(token) }).catch(() => {});
  }
  for (;;) {
    try {
      me.value = await read<Me>("me");
      setClock(me.value.now + ageOf(me.value));
      signedOut.value = false;
      signInBy.value = me.value.signIn;
      if (hasFirst("now")) refreshNow();
      void whenIdle(() => {
        forgetFirst();
        goLive();
      });
      return;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }
}
