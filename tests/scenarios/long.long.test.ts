/** Scenarios that go on for longer than the quick loop can wait. */
import { declareScenarios, isLong } from "./corpus.ts";

declareScenarios(isLong);
