/** Scenarios that last for days. */
import "../support/low-priority.ts";
import { declareScenarios, isLong } from "./corpus.ts";

declareScenarios(isLong);
