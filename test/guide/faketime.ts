import { spawnSync } from "node:child_process";

/**
 * The library that gives a process another wall clock, as the program `faketime` would load it, or why it is
 * missing.
 */
export const faketime: { readonly library: string } | { readonly missing: string } = find();

function find(): typeof faketime {
  const { stdout, error } = spawnSync("faketime", ["-m", "-f", "+0", "printenv", "LD_PRELOAD"], { encoding: "utf8" });
  const library = stdout?.trim().split(":").at(-1) ?? "";
  if (error === undefined && library !== "") return { library };
  return { missing: "there is no faketime: it comes with the package of that name, on Debian and others" };
}

/**
 * The environment of a process whose wall clock shows `time`, in ms since 1970, at the moment `now`, and runs
 * on from there. The monotonic clock is unchanged: all processes share that of the host.
 */
export function withClockAt(time: number): NodeJS.ProcessEnv {
  if ("missing" in faketime) throw new Error(faketime.missing);
  const ahead = ((time - Date.now()) / 1_000).toFixed(3);
  return {
    ...process.env,
    TZ: "UTC",
    LD_PRELOAD: faketime.library,
    FAKETIME: `${Number(ahead) < 0 ? "" : "+"}${ahead}s`,
    // Two names: one of the program, one of the library, by version.
    DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}
