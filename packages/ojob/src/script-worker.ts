/** Runs in a thread of its own: waits for scripts and runs them. */
import { start } from "./script/worker/start.js";

start();
