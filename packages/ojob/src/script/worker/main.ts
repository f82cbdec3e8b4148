/** The entry of a script thread. */
import { start } from "./start.js";

start();
