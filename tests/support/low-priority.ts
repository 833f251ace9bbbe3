/** Imported by tests that calculate: they leave the cores to those beside them that keep time, and take what is left. */
import { setPriority } from "node:os";

setPriority(10);
