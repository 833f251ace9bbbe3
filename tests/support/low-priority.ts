/** Imported by tests that compute a lot: they leave the cores to concurrent tests that depend on timing. */
import { setPriority } from "node:os";

setPriority(10);
