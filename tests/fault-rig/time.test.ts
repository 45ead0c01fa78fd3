import { testProfiles } from "./judged.ts";

await testProfiles("F1", "F6", "F12");
