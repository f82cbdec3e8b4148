import type DatabaseClass from "better-sqlite3";
import { loadDriver } from "../driver.js";

/** The driver of this Node, for tests that read a file with plain SQLite, as another program would. */
export const Database: typeof DatabaseClass = loadDriver();
