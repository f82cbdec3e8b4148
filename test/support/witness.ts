import type { ChildProcess } from "node:child_process";

/** The report of a body. The body waits for the answer before it begins, and before it gives up its lock. */
export interface Report {
  readonly type: "enter" | "exit";
  readonly job: string;
  readonly fence: string;
}

/**
 * A neutral witness outside every store. Bodies in many processes report to it when they begin and end, and
 * continue only once it has recorded that. So it detects two bodies of one job at once, and a fence that does
 * not increase.
 */
export class Witness {
  readonly violations: string[] = [];
  entered = 0;
  readonly #inside: Map<string, string> = new Map();
  readonly #lastFence: Map<string, bigint> = new Map();

  /** Listens to the reports of a process. */
  observe(child: ChildProcess): void {
    child.on("message", (report: Report) => {
      if (report.type !== "enter" && report.type !== "exit") return;
      if (report.type === "enter") this.#enter(report);
      else this.#exit(report);
      if (child.connected) child.send({ noted: report.type });
    });
  }

  /** Call it when a process was killed: its body does not run any more. */
  gone(job: string): void {
    this.#inside.delete(job);
  }

  #enter({ job, fence }: Report): void {
    this.entered++;
    const other = this.#inside.get(job);
    if (other !== undefined) this.violations.push(`${job}: fence ${fence} entered while ${other} was inside`);
    const last = this.#lastFence.get(job) ?? 0n;
    if (BigInt(fence) <= last) this.violations.push(`${job}: fence ${fence} came after ${last}`);
    this.#lastFence.set(job, BigInt(fence));
    this.#inside.set(job, fence);
  }

  #exit({ job, fence }: Report): void {
    if (this.#inside.get(job) !== fence) this.violations.push(`${job}: fence ${fence} left without being inside`);
    this.#inside.delete(job);
  }
}
