import { testProfiles } from "./judged.ts";

await testProfiles("F6", "F12");
