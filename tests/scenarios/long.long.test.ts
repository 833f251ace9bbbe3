/** Scenarios that take too long for the quick suite. */
import { declareScenarios, isLong } from "./corpus.ts";

declareScenarios(isLong);
