/** For tests of programs that use ojm: a clock that a test moves, and a manager in memory. */
export { type RanOnce, type RunOnceOptions, runOnce } from "./testing-kit/run-once.js";
export { TestClock, type TestClockOptions } from "./testing-kit/test-clock.js";
export { openTestManager, type TestManager } from "./testing-kit/test-manager.js";
