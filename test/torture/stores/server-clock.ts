import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/*
 * The wall clock of a server. libfaketime, which sets the clock of the workers, would deadlock here: it
 * allocates memory when it is asked for the time, and jemalloc, the allocator of Redis, asks for the time
 * when it first allocates.
 */

/**
 * A library that adds the whole seconds in a file to the wall clock. It calls only the system's own calls,
 * which need no memory.
 */
const SOURCE = `#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long ahead(void) {
  static volatile long long *shared;
  if (!shared) {
    int file = open(getenv("OJM_WALL_CLOCK"), O_RDONLY);
    void *page = mmap(0, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page == MAP_FAILED) abort();
    shared = page;
  }
  return *shared;
}

int clock_gettime(clockid_t id, struct timespec *t) {
  int failed = syscall(SYS_clock_gettime, id, t);
  if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += ahead();
  return failed;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
  int failed = syscall(SYS_gettimeofday, t, zone);
  if (!failed && t) t->tv_sec += ahead();
  return failed;
}

time_t time(time_t *t) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (t) *t = now.tv_sec;
  return now.tv_sec;
}
`;

/** Why this machine cannot set the clock of a server; `undefined` if it can. */
export function whyNoServerClock(): string | undefined {
  if (process.platform !== "linux") return "the wall clock of a server can be set on Linux only";
  const { error } = spawnSync("cc", ["--version"], { stdio: "ignore" });
  return error === undefined ? undefined : "there is no C compiler: apt-get install gcc";
}

/** A wall clock of one server that can be set. Its monotonic clock is that of the host. */
export class ServerClock {
  /** The environment that the server must be started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  /** Creates its files in `folder`. */
  constructor(folder: string) {
    const source = join(folder, "wall-clock.c");
    const library = join(folder, "wall-clock.so");
    this.#file = join(folder, "wall-clock");
    writeFileSync(source, SOURCE);
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source], { stdio: "pipe" });
    writeFileSync(this.#file, Buffer.alloc(8));
    this.env = { LD_PRELOAD: library, OJM_WALL_CLOCK: this.#file };
  }

  /** Sets the clock `ahead` seconds ahead of the host's. */
  set(ahead: number): void {
    const seconds = Buffer.alloc(8);
    seconds.writeBigInt64LE(BigInt(ahead));
    // Write in place: the server has the file mapped, and a truncated file would crash it.
    const file = openSync(this.#file, "r+");
    writeSync(file, seconds, 0, 8, 0);
    closeSync(file);
  }
}
