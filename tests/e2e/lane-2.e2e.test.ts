/** The other lane: see lane-1.e2e.test.ts. */
import "./undisturbed.ts";
import "./demo-faults.ts";
import "./listeners.ts";
import "./readme.ts";
import "./full-disk.ts";
