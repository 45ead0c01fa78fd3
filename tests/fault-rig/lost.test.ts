import { testProfiles } from "./judged.ts";

await testProfiles("F1", "F2", "F3", "F4");
