import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { inside } from "./namespaces.js";

/*
 * A link between two namespaces that delays and drops frames. Not every kernel has netem, so a small program
 * forwards the frames between two TAP devices, one in each namespace.
 */

/**
 * Arguments of the program: the weather file (delay and loss), then the namespace and the device name of each
 * end.
 */
const SOURCE = `#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FRAMES 4096
#define BYTES 2048

struct weather { volatile long long delay_us, loss_ppm; };
struct frame { long long due; int to, length; char bytes[BYTES]; };
static struct frame frames[FRAMES];

static long long now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int tap(const char *namespace, const char *name) {
  int space = open(namespace, O_RDONLY);
  if (space < 0 || setns(space, CLONE_NEWNET) < 0) { perror(namespace); exit(1); }
  close(space);
  int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (file < 0 || ioctl(file, TUNSETIFF, &request) < 0) { perror(name); exit(1); }
  return file;
}

int main(int count, char **args) {
  if (count < 6) return 2;
  int file = open(args[1], O_RDONLY);
  struct weather *weather = mmap(0, sizeof *weather, PROT_READ, MAP_SHARED, file, 0);
  if (weather == MAP_FAILED) { perror(args[1]); return 1; }
  int ends[2] = { tap(args[2], args[3]), tap(args[4], args[5]) };
  unsigned seed = getpid();
  unsigned long first = 0, next = 0;
  puts("ready");
  fflush(stdout);
  for (;;) {
    /* In order: the delay is the same for all, and one that was just raised holds up what comes after it. */
    for (; first != next && frames[first % FRAMES].due <= now_us(); first++) {
      struct frame *frame = &frames[first % FRAMES];
      if (write(ends[frame->to], frame->bytes, frame->length) < 0) { /* the network loses it */ }
    }
    struct timespec wait, *most = 0;
    if (first != next) {
      long long left = frames[first % FRAMES].due - now_us();
      if (left < 0) left = 0;
      wait.tv_sec = left / 1000000;
      wait.tv_nsec = left % 1000000 * 1000;
      most = &wait;
    }
    struct pollfd polled[3] = { { ends[0], POLLIN, 0 }, { ends[1], POLLIN, 0 }, { 0, POLLIN, 0 } };
    if (ppoll(polled, 3, most, 0) < 0) return 1;
    /* The process that started it has closed its input, or is gone. */
    if (polled[2].revents) return 0;
    for (int from = 0; from < 2; from++) {
      if (!(polled[from].revents & POLLIN)) continue;
      for (int i = 0; i < 64; i++) {
        char spare[BYTES];
        int full = next - first == FRAMES;
        struct frame *frame = &frames[next % FRAMES];
        int length = read(ends[from], full ? spare : frame->bytes, BYTES);
        if (length <= 0) break;
        if (full || rand_r(&seed) % 1000000 < weather->loss_ppm) continue;
        frame->due = now_us() + weather->delay_us;
        frame->to = 1 - from;
        frame->length = length;
        next++;
      }
    }
  }
}
`;

/** Why this machine cannot make a slow link; `undefined` if it can. */
export function whyNoForwarder(): string | undefined {
  if (!existsSync("/dev/net/tun")) return "no slow network: there is no /dev/net/tun";
  const { error } = spawnSync("cc", ["--version"], { stdio: "ignore" });
  return error === undefined ? undefined : "no slow network: there is no C compiler (apt-get install gcc)";
}

/** One end of a link. */
export interface End {
  readonly namespace: string;
  readonly device: string;
}

/** Makes links that can delay and drop frames. All its links have the same delay and loss. */
export class Forwarder {
  readonly #program: string;
  readonly #weather: string;

  /** Creates its files in `folder`. */
  constructor(folder: string) {
    const source = join(folder, "forwarder.c");
    this.#program = join(folder, "forwarder");
    this.#weather = join(folder, "weather");
    writeFileSync(source, SOURCE);
    execFileSync("cc", ["-O1", "-o", this.#program, source], { stdio: "pipe" });
    writeFileSync(this.#weather, Buffer.alloc(16));
  }

  /** Sets the one-way delay of each frame in ms, and the loss in percent. */
  set(delay: number, loss: number): void {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(BigInt(Math.round(delay * 1_000)), 0);
    bytes.writeBigInt64LE(BigInt(Math.round(loss * 10_000)), 8);
    // Write in place: the program has the file mapped, and a truncated file would crash it.
    const file = openSync(this.#weather, "r+");
    writeSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
  }

  /**
   * Makes a link and its two devices, which must not exist yet. The link ends with the namespace of `one`, or
   * with this process. Rejects if the program ends at once.
   */
  async link(one: End, other: End): Promise<void> {
    const ends = [one, other].flatMap(({ namespace, device }) => [`/run/netns/${namespace}`, device]);
    const [command = "", ...args] = [...inside(one.namespace), this.#program, this.#weather, ...ends];
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    child.stdin.on("error", () => {});
    // The link must not keep this process alive.
    child.unref();
    const ended = once(child, "exit").then(() => Promise.reject(new Error(`the link was not set up: ${said}`)));
    ended.catch(() => {});
    await Promise.race([once(child.stdout, "data"), ended]);
  }
}
