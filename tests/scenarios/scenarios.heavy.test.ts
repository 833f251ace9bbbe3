/** Scenarios that the quick suite omits. */
import { declareScenarios, isFirst, isLong, isReported } from "./corpus.ts";

declareScenarios((scenario, file) => !isFirst(scenario, file) && !isLong(scenario) && !isReported(file));
