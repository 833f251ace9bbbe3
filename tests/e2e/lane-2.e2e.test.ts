/** Another lane: see lane-1.e2e.test.ts. */
import "./undisturbed.ts";
import "./listeners.ts";
import "./readme.ts";
