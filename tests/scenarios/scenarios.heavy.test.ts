/** The scenarios that the quick loop leaves out. */
import { declareScenarios, isFirst, isLong, isReported } from "./corpus.ts";

declareScenarios((scenario, file) => !isFirst(scenario, file) && !isLong(scenario) && !isReported(file));
