"use strict";

/**
 * The last driver that Node 20 can load. `addon()` loads its native part, which the driver itself finds by
 * trying a dozen places.
 */
module.exports = require("better-sqlite3");
module.exports.addon = () => require("better-sqlite3/build/Release/better_sqlite3.node");
