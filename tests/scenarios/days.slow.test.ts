/** Scenarios that last for days. */
import { declareScenarios, isLong } from "./corpus.ts";

declareScenarios(isLong);
