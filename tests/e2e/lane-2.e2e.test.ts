/** The other lane: see lane-1.e2e.test.ts. */
import "./demo-faults.ts";
import "./disturbed.ts";
import "./listeners.ts";
import "./readme.ts";
