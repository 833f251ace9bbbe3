/** Another lane: see lane-1.e2e.test.ts. */
import "./demo-faults.ts";
