import { declareAllFaults } from "./all-faults.ts";

declareAllFaults(3);
