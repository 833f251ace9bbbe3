/** The other lane: see lane-1.e2e.test.ts. */
import "./undisturbed.ts";
import "./demo-faults.ts";
