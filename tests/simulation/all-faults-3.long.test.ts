import { declareAllFaults } from "./simulation.ts";

declareAllFaults(3);
