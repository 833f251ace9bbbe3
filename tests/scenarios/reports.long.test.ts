/** Publicly reported outages. */
import { declareScenarios, isLong, isReported } from "./corpus.ts";

declareScenarios((scenario, file) => isReported(file) && !isLong(scenario));
